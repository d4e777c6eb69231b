/**
 * The namespaces of the container: new ones by the flags of one clone3, existing ones by setns before it.
 * namespaces(7), clone(2), setns(2), unshare(2). Upstream: runc libcontainer/nsenter/nsexec.c.
 */
import type { LinuxNamespace } from '../protocol/oci/runtime-spec.ts';
import { type Compilation, refuse, SLOT } from './compilation.ts';
import { CLONE, openFlags, SIGCHLD } from './plan/constants.ts';
import {
  AT_FDCWD,
  flags,
  number,
  pack,
  slot,
  type StageBuilder,
  struct,
  text,
} from './plan/stage-builder.ts';

export type Kind = LinuxNamespace['type'];

/** All that entering a container needs of a compilation. */
type Stages = Pick<Compilation, 'parent' | 'init'>;

/** Their words in config.json, and their bits. */
export const FLAG = {
  mount: CLONE.CLONE_NEWNS,
  cgroup: CLONE.CLONE_NEWCGROUP,
  uts: CLONE.CLONE_NEWUTS,
  ipc: CLONE.CLONE_NEWIPC,
  user: CLONE.CLONE_NEWUSER,
  pid: CLONE.CLONE_NEWPID,
  network: CLONE.CLONE_NEWNET,
  time: CLONE.CLONE_NEWTIME,
} as const;

/** In the order of the flags of clone3: everything that is new in one call. */
const CLONED = ['user', 'pid', 'mount', 'uts', 'ipc', 'network'] as const;
/** Joined by runc before it clones, so that init is born inside. */
const JOINED_BEFORE = ['network', 'ipc', 'uts', 'pid', 'time'] as const;

export const namespaceOf = (c: Compilation, kind: Kind): LinuxNamespace | undefined =>
  c.linux.namespaces?.find(({ type }) => type === kind);

/** Whether the container gets one of its own, rather than the host's or another container's. */
export const hasNew = (c: Compilation, kind: Kind): boolean => {
  const namespace = namespaceOf(c, kind);
  return namespace !== undefined && !namespace.path;
};

/** What it does in there does not concern us: it has one of its own, or an existing one that is not the one that we are in. */
export const isApart = (c: Compilation, kind: Exclude<Kind, 'mount'>): boolean => {
  const namespace = namespaceOf(c, kind);
  if (!namespace?.path) return namespace !== undefined;
  const ours = `/proc/self/ns/${kind === 'network' ? 'net' : kind}`;
  return !c.facts.files.isSame(namespace.path, ours);
};

/** One of its own, or an existing one: root in the container is somebody else outside. */
export const isInUserNamespace = (c: Compilation): boolean => namespaceOf(c, 'user') !== undefined;

export const checkNamespaces = (c: Compilation): void => {
  const kinds = (c.linux.namespaces ?? []).map(({ type }) => type);
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (twice) refuse(`malformed spec file: duplicated ns ${twice}`);
  if (!kinds.includes('mount'))
    refuse(
      "a container in runc's own mount namespace is not supported: its mounts would be the host's",
    );
  for (const { type, path } of c.linux.namespaces ?? []) {
    if (path && !path.startsWith('/'))
      refuse(`the path of the ${type} namespace must be absolute: ${path}`);
  }
};

export const joinNamespaces = (c: Compilation): void => {
  for (const kind of JOINED_BEFORE) joinByPath(c, c.parent, kind);
};

/**
 * Entered by init alone, when it holds all that lies in the host's tree. From here on paths are those of the other
 * namespace: the rootfs and the sources of mounts are looked up in it, and its root moves with init's.
 */
export const joinMountNamespace = (c: Compilation): void => joinByPath(c, c.init, 'mount');

/** Of a new one nothing is to do here. */
export const joinByPath = (c: Compilation, stage: StageBuilder, kind: Kind): void => {
  const open = openFlags(c.facts.architecture);
  const path = namespaceOf(c, kind)?.path;
  if (!path) return;
  stage.call('openat', [AT_FDCWD, text(path), flags(open, open.O_CLOEXEC)], {
    title: `find the ${kind} namespace to join`,
    object: 'namespace',
    source: __SOURCE__,
    reference: 'man:namespaces(7)',
    resultSlot: SLOT.namespace,
    purpose: 'namespace',
  });
  stage.call('setns', [slot(SLOT.namespace), flags(CLONE, FLAG[kind])], {
    title: `enter an existing ${kind} namespace instead of a new one`,
    object: 'namespace',
    level: 'step',
    source: __SOURCE__,
    reference: 'man:setns(2)',
    purpose: 'namespace',
  });
};

/** clone_args up to `cgroup` (CLONE_ARGS_SIZE_VER2), with the descriptor of the cgroup to be born in. */
const cloneArgs = (cloneFlags: number, intoCgroup: boolean): Parameters<typeof struct>[0] => ({
  bytes: pack([
    [8, intoCgroup ? BigInt(cloneFlags) | BigInt(CLONE.CLONE_INTO_CGROUP) : cloneFlags],
    [8, 0], // pidfd
    [8, 0], // child_tid
    [8, 0], // parent_tid
    [8, SIGCHLD], // exit_signal
    [8, 0], // stack
    [8, 0], // stack_size
    [8, 0], // tls
    [8, 0], // set_tid
    [8, 0], // set_tid_size
    [8, 0], // cgroup
  ]),
  ...(intoCgroup ? { patches: [{ offset: 80, slot: SLOT.cgroup }] } : {}),
});

const WORDS: Readonly<Record<(typeof CLONED)[number], string>> = {
  user: 'user',
  pid: 'pid',
  mount: 'mount',
  uts: 'hostname',
  ipc: 'ipc',
  network: 'network',
};

export const cloneInit = (c: Compilation, options: { intoCgroup: boolean }): void => {
  const fresh = CLONED.filter((kind) => hasNew(c, kind));
  cloneWith(c, fresh, {
    ...options,
    title: `a first process, in new ${fresh.map((kind) => WORDS[kind]).join(', ')} namespaces`,
  });
};

/** One more process for a container that is there already: nothing about it is new. */
export const cloneIntoContainer = (
  c: Stages,
  { intoCgroup, title }: { readonly intoCgroup: boolean; readonly title?: string },
): void =>
  cloneWith(c, [], { intoCgroup, title: title ?? 'another process of the container is born' });

const cloneWith = (
  c: Stages,
  fresh: readonly (typeof CLONED)[number][],
  options: { readonly intoCgroup: boolean; readonly title: string },
): void => {
  const cloneFlags = fresh.reduce((sum, kind) => sum | FLAG[kind], 0);
  const shown = flags(
    CLONE,
    options.intoCgroup ? BigInt(cloneFlags) | BigInt(CLONE.CLONE_INTO_CGROUP) : cloneFlags,
  );
  c.parent.call(
    'clone3',
    [
      struct(
        cloneArgs(cloneFlags, options.intoCgroup),
        `{flags=${shown.shown}, exit_signal=SIGCHLD}`,
      ),
      number(88),
    ],
    {
      title: options.title,
      object: 'namespace',
      level: 'chapter',
      source: __SOURCE__,
      reference: 'man:clone(2)',
      resultSlot: SLOT.init,
      forksInit: true,
      purpose: 'clone',
    },
  );
};

/** A pid namespace is entered by the child that is born after this; runc itself stays where it is. */
export const enterPidNamespace = (c: Stages, kinds: readonly Kind[]): void => {
  if (!kinds.includes('pid')) return;
  c.parent.call('setns', [slot(SLOT.container), flags(CLONE, FLAG.pid)], {
    title: "the next child is born in the container's pid namespace",
    object: 'namespace',
    level: 'step',
    source: __SOURCE__,
    reference: 'man:setns(2)',
    purpose: 'namespace',
  });
};

/**
 * All other namespaces of the container's init, in one call: the kernel takes the user namespace first.
 * A pidfd cannot be mistaken for a later process with the same number.
 */
export const enterNamespaces = (c: Stages, kinds: readonly Kind[]): void => {
  const others = kinds.filter((kind) => kind !== 'pid');
  if (others.length === 0) return;
  const value = others.reduce((sum, kind) => sum | FLAG[kind], 0);
  c.init.call('setns', [slot(SLOT.container), flags(CLONE, value)], {
    title: `enter the container: its ${others.join(', ')} namespaces`,
    object: 'namespace',
    level: 'step',
    source: __SOURCE__,
    reference: 'man:setns(2)',
    purpose: 'namespace',
  });
};

/** Postcondition: /proc/self/cgroup shows `/` to the container. Must come after init has joined its cgroup. */
export const enterCgroupNamespace = (c: Compilation): void => {
  const namespace = namespaceOf(c, 'cgroup');
  if (!namespace) return;
  const open = openFlags(c.facts.architecture);
  if (namespace.path) {
    c.init.call('openat', [AT_FDCWD, text(namespace.path), flags(open, open.O_CLOEXEC)], {
      title: 'find the cgroup namespace to join',
      object: 'namespace',
      source: __SOURCE__,
      reference: 'man:cgroup_namespaces(7)',
      resultSlot: SLOT.namespace,
      purpose: 'namespace',
    });
    c.init.call('setns', [slot(SLOT.namespace), flags(CLONE, FLAG.cgroup)], {
      title: 'enter an existing cgroup namespace',
      object: 'namespace',
      source: __SOURCE__,
      reference: 'man:setns(2)',
      purpose: 'namespace',
    });
    return;
  }
  c.init.call('unshare', [flags(CLONE, FLAG.cgroup)], {
    title: 'a cgroup namespace of its own: the cgroup it is in becomes the root that it sees',
    object: 'namespace',
    source: __SOURCE__,
    reference: 'man:cgroup_namespaces(7)',
    purpose: 'namespace',
  });
};
