/**
 * `mounts` of config.json, in their order: proc, sys, dev, devpts, shm, mqueue, cgroup and bind mounts.
 * mount(2), OCI config.md#mounts. Upstream: runc libcontainer/rootfs_linux.go.
 */
import { type Compilation, FD, refuse, SLOT } from '../compilation.ts';
import { mountCgroups } from '../cgroups/mount.ts';
import { isInUserNamespace } from '../namespaces.ts';
import { MS } from '../plan/constants.ts';
import { fdPath, flags, NULL, number, text } from '../plan/stage-builder.ts';
import { insideRoot, openPlace, placeForFile, placeForFolder, shownPlace } from './in-root.ts';
import {
  mountAttributes,
  remountBind,
  setPropagation,
  setRecursiveAttributes,
} from './mount-attributes.ts';
import { placeMappedSource } from './id-mapped-mounts.ts';
import type { ParsedMount } from './parse-mounts.ts';

const TITLES: Readonly<Record<string, string>> = {
  proc: 'a /proc that shows only the processes of the new pid namespace',
  sysfs: 'the kernel objects of the new network namespace',
  devpts: 'terminals of its own',
  mqueue: 'message queues of the new ipc namespace',
};

/** One of them is a step: the mount that makes `ps` in the container see only the container. */
const STEPS = new Set(['/proc']);

export const mountAll = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  mounts.forEach((mount, index) => {
    if (mount.type === 'cgroup') mountCgroups(c, mount);
    else if (mount.isBind) bindMount(c, mount, FD.firstHeldSource + index);
    else mountFilesystem(c, mount);
  });
};

const mountFilesystem = (c: Compilation, mount: ParsedMount): void => {
  // Later steps write below /proc; a link there could turn them elsewhere, so nothing but a real folder will do.
  const noSymlinks = mount.type === 'proc' || mount.type === 'sysfs';
  placeForFolder(c, mount.destination, {
    noSymlinks,
    ...(noSymlinks ? { purpose: `ordinary folder for ${mount.type}` } : {}),
  });
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
  if (mount.copiesUp) copyUp(c, mount);
  setPropagation(c, mount);
  setRecursiveAttributes(c, mount);
};

/** Precondition: the slot `target` holds the folder on which the tmpfs has just been mounted, and so what is below it. */
const copyUp = (c: Compilation, mount: ParsedMount): void => {
  openPlace(c, mount.destination, { into: SLOT.copy });
  c.init.copyTree(SLOT.target, SLOT.copy, {
    title: `the new tmpfs gets what the image has in ${mount.destination}: folders, files, links and devices`,
    object: 'mount',
    source: __SOURCE__,
    reference: 'man:getdents(2)',
    purpose: 'tmpcopyup',
    attributes: mountAttributes(mount),
  });
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
  if (mount.idMap) placeMappedSource(c, mount, held);
  else bindSource(c, mount, held);
  remountBind(c, mount);
  setPropagation(c, mount);
  setRecursiveAttributes(c, mount);
};

/** Precondition: the slot `target` holds its place. */
const bindSource = (c: Compilation, mount: ParsedMount, held: number): void => {
  const target = fdPath(SLOT.target, shownPlace(mount.destination));
  const isHeld = isInUserNamespace(c);
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
