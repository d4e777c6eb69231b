/**
 * The root filesystem: made a mount of its own, entered with pivot_root, and the host's tree let go.
 * pivot_root(2) (section "pivot_root(".", ".")"), mount_namespaces(7). Upstream: runc libcontainer/rootfs_linux.go.
 */
import { posix } from 'node:path';
import { type Compilation, FD, SLOT } from '../compilation.ts';
import { unescapeOctal } from '../host-facts.ts';
import { MNT, MS, openFlags } from '../plan/constants.ts';
import { AT_FDCWD, flags, NULL, number, slot, text } from '../plan/stage-builder.ts';
import { parseRootfsPropagation } from './mount-options.ts';
import { moveRoot } from './move-root.ts';

/** Postcondition: nothing that init mounts is seen by the host; the slot `rootfs` holds the new root. */
export const prepareRoot = (c: Compilation): void => {
  const propagation = parseRootfsPropagation(c.linux.rootfsPropagation) ?? MS.MS_SLAVE | MS.MS_REC;
  c.init.call('mount', [NULL, text('/'), NULL, flags(MS, propagation), NULL], {
    title: 'mounts made from here on stay inside the new mount namespace',
    object: 'mount',
    source: __SOURCE__,
    reference: 'man:mount_namespaces(7)',
    purpose: 'rootfs',
  });
  if (isShared(propagation)) makeParentPrivate(c);
  c.init.call(
    'mount',
    [text(c.rootfs), text(c.rootfs), text('bind'), flags(MS, MS.MS_BIND | MS.MS_REC), NULL],
    {
      title: 'the image layers (overlay) become a mount of their own, as pivot_root wants it',
      object: 'root',
      source: __SOURCE__,
      reference: 'man:mount(2)',
      purpose: 'rootfs',
      attributes: { 'engineroom.mount.target': '/', 'engineroom.mount.type': 'bind' },
    },
  );
  const open = openFlags(c.facts.architecture);
  c.init.call(
    'openat',
    [AT_FDCWD, text(c.rootfs), flags(open, open.O_PATH | open.O_DIRECTORY | open.O_CLOEXEC)],
    {
      title: "hold the container's root: all paths below are resolved from here",
      object: 'root',
      source: __SOURCE__,
      reference: 'man:open(2)',
      resultSlot: SLOT.rootfs,
      purpose: 'rootfs',
    },
  );
};

const holdOldRoot = (c: Compilation): void => {
  const open = openFlags(c.facts.architecture);
  c.init.call(
    'openat',
    [AT_FDCWD, text('/'), flags(open, open.O_PATH | open.O_DIRECTORY | open.O_CLOEXEC)],
    {
      title: "hold the host's tree once more",
      object: 'root',
      source: __SOURCE__,
      reference: 'man:open(2)',
      resultSlot: SLOT.folder,
      purpose: 'pivot_root',
    },
  );
};

/** Of the two that are stacked on `/` a path finds the container's; the descriptor finds the host's. */
const isolateOldRoot = (c: Compilation): void => {
  c.init.call('fchdir', [slot(SLOT.folder)], {
    title: "stand in the host's tree",
    object: 'root',
    source: __SOURCE__,
    reference: 'man:chdir(2)',
    purpose: 'pivot_root',
  });
  c.init.call('mount', [NULL, text('.'), NULL, flags(MS, MS.MS_SLAVE | MS.MS_REC), NULL], {
    title: 'letting go of it here must not unmount it on the host',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:mount_namespaces(7)',
    purpose: 'pivot_root',
  });
};

const isShared = (propagation: number): boolean => (propagation & MS.MS_SHARED) !== 0;

/** pivot_root wants it so; and what is mounted in the container's root must not appear on the host. */
const makeParentPrivate = (c: Compilation): void => {
  const around = mountPointOf(posix.dirname(c.rootfs), c.facts.files.read('/proc/self/mountinfo'));
  c.init.call('mount', [NULL, text(around), NULL, flags(MS, MS.MS_PRIVATE), NULL], {
    title: 'the mount that the root filesystem lies in tells nobody of what is mounted in it',
    object: 'mount',
    source: __SOURCE__,
    reference: 'man:mount_namespaces(7)',
    purpose: 'rootfs',
  });
};

/** The longest mount point that the path lies in. proc_pid_mountinfo(5) */
const mountPointOf = (path: string, mountinfo: string | null): string =>
  (mountinfo ?? '')
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => path === point || path.startsWith(point.replace(/\/?$/, '/')))
    .reduce((longest, point) => (point.length >= longest.length ? point : longest), '/');

/**
 * Precondition: everything that needs the host's tree is done.
 * Postcondition: `/` is the container's; no descriptor that leads to the host is left (CVE-2024-21626).
 */
export const enterRoot = (c: Compilation): void => {
  if (c.noPivot === true) moveRoot(c);
  else pivotRoot(c);
  c.init.call('chdir', [text('/')], {
    title: 'stand in /',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:chdir(2)',
    purpose: 'pivot_root',
  });
  // 4 is the record pipe; the numbers around it were free for what the steps before have opened.
  c.init.call('close_range', [number(3), number(3), number(0)], {
    title: 'let go of descriptor 3',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:close_range(2)',
    purpose: 'pivot_root',
  });
  c.init.call('close_range', [number(FD.firstToClose), number(FD.syncInit - 1), number(0)], {
    title: 'let go of every descriptor that was opened on the way',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:close_range(2)',
    purpose: 'pivot_root',
  });
  const propagation = parseRootfsPropagation(c.linux.rootfsPropagation);
  if (propagation === undefined) return;
  c.init.call('mount', [NULL, text('/'), NULL, flags(MS, propagation), NULL], {
    title: `how mounts below / travel: ${c.linux.rootfsPropagation ?? ''}`,
    object: 'root',
    source: __SOURCE__,
    reference: 'man:mount_namespaces(7)',
    purpose: 'rootfs',
  });
};

const pivotRoot = (c: Compilation): void => {
  c.init.call('fchdir', [slot(SLOT.rootfs)], {
    title: 'stand in the new root',
    object: 'root',
    source: __SOURCE__,
    reference: 'man:chdir(2)',
    purpose: 'rootfs',
  });
  const propagation = parseRootfsPropagation(c.linux.rootfsPropagation);
  const hasShared = propagation !== undefined && isShared(propagation);
  if (hasShared) holdOldRoot(c);
  c.init.call('pivot_root', [text('.'), text('.')], {
    title: "the image's files become /, the host's tree is stacked on top of it",
    object: 'root',
    level: 'step',
    source: __SOURCE__,
    reference: 'man:pivot_root(2)',
    purpose: 'pivot_root',
  });
  if (hasShared) isolateOldRoot(c);
  c.init.call('umount2', [text('.'), flags(MNT, MNT.MNT_DETACH)], {
    title: "the host's tree is gone from the container's sight",
    object: 'root',
    source: __SOURCE__,
    reference: 'man:umount(2)',
    purpose: 'pivot_root',
  });
};

export const makeRootReadOnly = (c: Compilation): void => {
  if (!c.spec.root.readonly) return;
  c.init.call(
    'mount',
    [NULL, text('/'), NULL, flags(MS, MS.MS_REMOUNT | MS.MS_BIND | MS.MS_RDONLY), NULL],
    {
      title: 'the root filesystem becomes read-only',
      object: 'root',
      level: 'step',
      source: __SOURCE__,
      reference: 'OCI config.md#root',
      purpose: 'rootfs',
    },
  );
};
