/**
 * `mounts` of config.json, in their order: proc, sys, dev, devpts, shm, mqueue, cgroup and bind mounts.
 * mount(2), OCI config.md#mounts. Upstream: runc libcontainer/rootfs_linux.go.
 */
import { posix, resolve } from 'node:path';
import type { Mount } from '../../protocol/oci/runtime-spec.ts';
import { type Compilation, FD, refuse, SLOT } from '../compilation.ts';
import { mountCgroups } from '../cgroups/mount.ts';
import { hasNew } from '../namespaces.ts';
import { AT, flagNames, MOUNT_ATTR, MS, openFlags } from '../plan/constants.ts';
import {
  AT_FDCWD,
  fdPath,
  flags,
  NULL,
  number,
  pack,
  slot,
  struct,
  text,
} from '../plan/stage-builder.ts';
import { insideRoot, openPlace, placeForFile, placeForFolder, shownPlace } from './in-root.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';

export interface ParsedMount extends MountOptions {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly isBind: boolean;
}

export const parseMounts = (c: Compilation): readonly ParsedMount[] =>
  (c.spec.mounts ?? []).map((mount) => parseMount(mount, c.bundle));

const parseMount = (mount: Mount, bundle: string): ParsedMount => {
  const options = parseMountOptions(mount.options ?? []);
  const destination = posix.normalize(`/${mount.destination}`).replace(/(.)\/$/, '$1');
  if (destination === '/') refuse('a mount over / is not supported');
  const isBind = (options.flags & MS.MS_BIND) !== 0 || mount.type === 'bind';
  const type = isBind ? 'bind' : (mount.type ?? '');
  if (type === '') refuse(`the mount on ${destination} has no type`);
  if (options.flags & MS.MS_REMOUNT)
    refuse(`the mount option remount is not supported (${destination})`);
  if (isBind && !mount.source) refuse(`the bind mount on ${destination} has no source`);
  checkBelowProc(destination, { type, source: isBind ? resolve(bundle, mount.source ?? '') : '' });
  if (isBind && options.data !== '')
    refuse(
      `invalid mount on ${destination}: bind mounts cannot have any filesystem-specific options applied (${options.data})`,
    );
  const source = isBind ? resolve(bundle, mount.source ?? '') : (mount.source ?? type);
  return {
    ...options,
    flags: isBind ? options.flags | MS.MS_BIND : options.flags,
    destination,
    type,
    source,
    isBind,
  };
};

/** Files of /proc that some replace by ones that tell the container's own numbers (lxcfs). */
const REPLACEABLE = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((file) => `/proc/${file}`),
);

/**
 * A /proc that is not the kernel's would make masked paths and later writes protect nothing (CVE-2019-16884,
 * CVE-2019-19921): only a proc filesystem may stand there, and nothing else may stand in it.
 */
const checkBelowProc = (
  destination: string,
  { type, source }: { readonly type: string; readonly source: string },
): void => {
  if (destination === '/proc') {
    if (type !== 'proc' && source !== '/proc')
      refuse(`"/proc" cannot be mounted because it is not of type proc`);
  } else if (destination.startsWith('/proc/') && !REPLACEABLE.has(destination)) {
    refuse(`${JSON.stringify(destination)} cannot be mounted because it is inside /proc`);
  }
};

const TITLES: Readonly<Record<string, string>> = {
  proc: 'a /proc that shows only the processes of the new pid namespace',
  sysfs: 'the kernel objects of the new network namespace',
  devpts: 'terminals of its own',
  mqueue: 'message queues of the new ipc namespace',
};

/** One of them is a step: the mount that makes `ps` in the container see only the container. */
const STEPS = new Set(['/proc']);

/**
 * Root of a user namespace may not walk to every place of the host, but init still may, before it takes that identity.
 * Precondition: in the new mount namespace, for a mount of another cannot be bound.
 */
export const holdSources = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  if (!hasNew(c, 'user')) return;
  const open = openFlags(c.facts.architecture);
  const words = { object: 'mount', source: __SOURCE__, purpose: 'mount source' } as const;
  mounts.forEach((mount, index) => {
    if (!mount.isBind) return;
    c.init.call(
      'openat',
      [AT_FDCWD, text(mount.source), flags(open, open.O_PATH | open.O_CLOEXEC)],
      {
        ...words,
        title: `hold the host's ${mount.source} while it can be reached`,
        reference: 'man:open(2)',
        resultSlot: SLOT.target,
      },
    );
    c.init.call(
      'dup3',
      [
        slot(SLOT.target),
        number(FD.firstHeldSource + index),
        flags({ O_CLOEXEC: open.O_CLOEXEC }, open.O_CLOEXEC),
      ],
      { ...words, title: 'where its mount will look for it', reference: 'man:dup(2)' },
    );
  });
};

export const mountAll = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  mounts.forEach((mount, index) => {
    if (mount.type === 'cgroup') mountCgroups(c, mount);
    else if (mount.isBind) bindMount(c, mount, FD.firstHeldSource + index);
    else mountFilesystem(c, mount);
  });
};

/** What every step about the mount says of it. */
const mountAttributes = (mount: ParsedMount) => ({
  'engineroom.mount.target': mount.destination,
  'engineroom.mount.type': mount.type,
});

const mountFilesystem = (c: Compilation, mount: ParsedMount): void => {
  // Later steps write below /proc; a link there could turn them elsewhere, so nothing but a real folder will do.
  const noSymlinks = mount.type === 'proc' || mount.type === 'sysfs';
  placeForFolder(c, mount.destination, { noSymlinks });
  const now = isMadeReadOnlyLater(mount) ? mount.flags & ~MS.MS_RDONLY : mount.flags;
  c.init.call(
    'mount',
    [
      text(mount.source),
      fdPath(SLOT.target, shownPlace(mount.destination)),
      text(mount.type),
      flags(MS, now),
      mount.data === '' ? NULL : text(mount.data),
    ],
    {
      title: `${TITLES[mount.type] ?? `a new ${mount.type}`} on ${mount.destination}`,
      object: 'mount',
      level: STEPS.has(mount.destination) ? 'step' : 'detail',
      source: __SOURCE__,
      reference: 'man:mount(2)',
      purpose: 'mount',
      attributes: mountAttributes(mount),
    },
  );
  setPropagation(c, mount);
  setRecursiveAttributes(c, mount);
};

/** Devices and nested mounts still have to be made in these. */
const isMadeReadOnlyLater = (mount: ParsedMount): boolean =>
  mount.destination === '/dev' || mount.type === 'tmpfs';

const bindMount = (c: Compilation, mount: ParsedMount, held: number): void => {
  const isFolder = c.facts.files.isDirectory(mount.source);
  if (isFolder === null) {
    refuse(
      `unable to start container process: error during container init: error mounting ${JSON.stringify(mount.source)} to rootfs at ` +
        `${JSON.stringify(mount.destination)}: stat ${mount.source}: no such file or directory`,
    );
  }
  if (isFolder) placeForFolder(c, mount.destination);
  else placeForFile(c, mount.destination);
  const target = fdPath(SLOT.target, shownPlace(mount.destination));
  const isHeld = hasNew(c, 'user');
  c.init.call(
    'mount',
    [
      text(isHeld ? `/proc/self/fd/${held}` : mount.source),
      target,
      text('bind'),
      flags(MS, mount.flags & (MS.MS_BIND | MS.MS_REC)),
      NULL,
    ],
    {
      title: `show the host's ${mount.source} as ${mount.destination}`,
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:mount(2)',
      purpose: 'mount',
      attributes: mountAttributes(mount),
    },
  );
  if (isHeld) {
    c.init.call('close', [number(held)], {
      title: "let go of the host's place",
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:close(2)',
      purpose: 'mount',
    });
  }
  remountBind(c, mount);
  setPropagation(c, mount);
  setRecursiveAttributes(c, mount);
};

/** A bind mount takes its flags only in a second call. */
const remountBind = (c: Compilation, mount: ParsedMount): void => {
  if ((mount.flags & ~(MS.MS_BIND | MS.MS_REC)) !== 0) {
    openPlace(c, mount.destination);
    const bits = (mount.flags & ~MS.MS_REC) | MS.MS_REMOUNT | MS.MS_BIND;
    c.init.call(
      'mount',
      [NULL, fdPath(SLOT.target, shownPlace(mount.destination)), NULL, flags(MS, bits), NULL],
      {
        title: `${mount.destination} becomes ${readingOf(mount.flags)}`,
        object: 'mount',
        source: __SOURCE__,
        reference: 'man:mount(2)',
        purpose: 'mount',
        attributes: mountAttributes(mount),
      },
    );
  }
};

/** Precondition: all other flags of the mount are set, since these have the last word. */
const setRecursiveAttributes = (c: Compilation, mount: ParsedMount): void => {
  if (!mount.recursive) return;
  const { set, clear } = mount.recursive;
  openPlace(c, mount.destination);
  const attributes = pack([
    [8, set],
    [8, clear],
    [8, 0],
    [8, 0],
  ]);
  const shown = [
    ...(set ? [`attr_set=${flagNames(MOUNT_ATTR, set)}`] : []),
    ...(clear ? [`attr_clr=${flagNames(MOUNT_ATTR, clear)}`] : []),
  ].join(', ');
  c.init.call(
    'mount_setattr',
    [
      slot(SLOT.target),
      text(''),
      flags(AT, AT.AT_EMPTY_PATH | AT.AT_RECURSIVE),
      struct({ bytes: attributes }, `{${shown}}`),
      number(attributes.length),
    ],
    {
      title:
        set === MOUNT_ATTR.MOUNT_ATTR_RDONLY && clear === 0
          ? `${mount.destination} and all below it become read-only`
          : `${mount.destination} and all below it change: ${shown}`,
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:mount_setattr(2)',
      purpose: 'mount',
      attributes: mountAttributes(mount),
    },
  );
};

const readingOf = (bits: number): string =>
  bits & MS.MS_RDONLY ? 'read-only' : flagNames(MS, bits & ~(MS.MS_BIND | MS.MS_REC));

const setPropagation = (c: Compilation, mount: ParsedMount): void => {
  for (const kind of mount.propagation) {
    openPlace(c, mount.destination);
    c.init.call(
      'mount',
      [NULL, fdPath(SLOT.target, shownPlace(mount.destination)), NULL, flags(MS, kind), NULL],
      {
        title: `how mounts below ${mount.destination} travel: ${flagNames(MS, kind)}`,
        object: 'mount',
        source: __SOURCE__,
        reference: 'man:mount_namespaces(7)',
        purpose: 'mount',
        attributes: mountAttributes(mount),
      },
    );
  }
};

/** After devices and nested mounts are in place, and after pivot_root: the paths are the container's own now. */
export const finishReadOnlyMounts = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  for (const mount of mounts) {
    if (mount.isBind || !isMadeReadOnlyLater(mount) || !(mount.flags & MS.MS_RDONLY)) continue;
    const bits = mount.flags | MS.MS_REMOUNT | MS.MS_BIND;
    c.init.call(
      'mount',
      [NULL, text(`/${insideRoot(mount.destination)}`), NULL, flags(MS, bits), NULL],
      {
        title: `${mount.destination} becomes read-only, now that it is furnished`,
        object: 'mount',
        source: __SOURCE__,
        reference: 'man:mount(2)',
        purpose: 'mount',
        attributes: mountAttributes(mount),
      },
    );
  }
};
