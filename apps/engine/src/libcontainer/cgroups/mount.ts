/**
 * What a container sees in /sys/fs/cgroup: its own cgroups only.
 * cgroup_namespaces(7). Upstream: runc libcontainer/rootfs_linux.go (mountCgroupV1, mountCgroupV2).
 */
import { posix } from 'node:path';
import { type Compilation, SLOT } from '../compilation.ts';
import { hasNew } from '../namespaces.ts';
import { MS } from '../plan/constants.ts';
import { ERRNO } from '../plan/errno.ts';
import { AT_FDCWD, fdPath, flags, NULL, number, slot, text } from '../plan/stage-builder.ts';
import { openPlace, placeForFolder, shownPlace } from '../rootfs/in-root.ts';
import type { ParsedMount } from '../rootfs/parse-mounts.ts';
import { type Cgroup, cgroupsOf, hierarchyName, isUnified } from './paths.ts';

export const mountCgroups = (c: Compilation, mount: ParsedMount): void => {
  const cgroups = cgroupsOf(c.facts, c.linux.cgroupsPath, c.id);
  if (isUnified(cgroups)) mountV2(c, mount, cgroups);
  else
    mountV1(
      c,
      mount,
      cgroups.filter(({ hierarchy }) => hierarchy.version === 1),
    );
};

const attributes = (mount: ParsedMount, type: string) => ({
  'engineroom.mount.target': mount.destination,
  'engineroom.mount.type': type,
});

const mountV2 = (c: Compilation, mount: ParsedMount, cgroups: readonly Cgroup[]): void => {
  placeForFolder(c, mount.destination);
  const target = fdPath(SLOT.target, shownPlace(mount.destination));
  const words = {
    object: 'mount',
    reference: 'man:cgroup_namespaces(7)',
    purpose: 'mount',
    attributes: attributes(mount, 'cgroup2'),
  } as const;
  if (hasNew(c, 'cgroup')) {
    c.init.call('mount', [text('cgroup'), target, text('cgroup2'), flags(MS, mount.flags), NULL], {
      ...words,
      title: `the cgroups below its own on ${mount.destination}`,
      source: __SOURCE__,
    });
    return;
  }
  const [cgroup] = cgroups;
  if (!cgroup) return;
  c.init.call('mount', [text(cgroup.path), target, NULL, flags(MS, MS.MS_BIND | MS.MS_REC), NULL], {
    ...words,
    title: `the container's cgroup on ${mount.destination}`,
    source: __SOURCE__,
  });
  openPlace(c, mount.destination);
  c.init.call(
    'mount',
    [NULL, target, NULL, flags(MS, mount.flags | MS.MS_BIND | MS.MS_REMOUNT), NULL],
    {
      ...words,
      title: `${mount.destination} gets its flags`,
      source: __SOURCE__,
    },
  );
};

/** A small tmpfs with a folder for each hierarchy. It is new and empty, so plain names in it are safe. */
const mountV1 = (c: Compilation, mount: ParsedMount, cgroups: readonly Cgroup[]): void => {
  placeForFolder(c, mount.destination);
  const tmpfsFlags = MS.MS_NOSUID | MS.MS_NODEV | MS.MS_NOEXEC;
  const target = fdPath(SLOT.target, shownPlace(mount.destination));
  const words = {
    object: 'mount',
    reference: 'man:cgroups(7)',
    purpose: 'mount',
    attributes: attributes(mount, 'cgroup'),
  } as const;
  c.init.call(
    'mount',
    [text('tmpfs'), target, text('tmpfs'), flags(MS, tmpfsFlags), text('mode=755')],
    {
      ...words,
      title: `a place for the cgroup hierarchies on ${mount.destination}`,
      source: __SOURCE__,
    },
  );
  openPlace(c, mount.destination, { into: SLOT.folder });
  c.init.call('fchdir', [slot(SLOT.folder)], {
    ...words,
    title: `stand in ${mount.destination}`,
    source: __SOURCE__,
  });
  for (const cgroup of cgroups) mountHierarchy(c, mount, cgroup);
  if (!(mount.flags & MS.MS_RDONLY)) return;
  openPlace(c, mount.destination);
  c.init.call(
    'mount',
    [NULL, target, NULL, flags(MS, tmpfsFlags | MS.MS_RDONLY | MS.MS_BIND | MS.MS_REMOUNT), NULL],
    {
      ...words,
      title: `${mount.destination} becomes read-only`,
      source: __SOURCE__,
    },
  );
};

const mountHierarchy = (c: Compilation, mount: ParsedMount, cgroup: Cgroup): void => {
  const { hierarchy } = cgroup;
  // As on the host: /sys/fs/cgroup/cpu,cpuacct has one folder, and links for its parts.
  const name = posix.basename(hierarchy.mountPoint);
  const words = {
    object: 'mount',
    reference: 'man:cgroups(7)',
    purpose: 'mount',
    attributes: { ...attributes(mount, 'cgroup'), 'engineroom.cgroup.path': cgroup.inner },
  } as const;
  c.init.call('mkdirat', [AT_FDCWD, text(name), number(0o755, '0755')], {
    ...words,
    title: `a folder for ${hierarchyName(hierarchy)}`,
    source: __SOURCE__,
  });
  if (hasNew(c, 'cgroup')) {
    const data =
      hierarchy.name === null ? hierarchy.controllers.join(',') : `none,name=${hierarchy.name}`;
    c.init.call(
      'mount',
      [text('cgroup'), text(name), text('cgroup'), flags(MS, mount.flags), text(data)],
      {
        ...words,
        title: `the container's cgroups: ${hierarchyName(hierarchy)}`,
        source: __SOURCE__,
      },
    );
  } else {
    c.init.call(
      'mount',
      [text(cgroup.path), text(name), NULL, flags(MS, MS.MS_BIND | MS.MS_REC), NULL],
      {
        ...words,
        title: `the container's cgroup: ${hierarchyName(hierarchy)}`,
        source: __SOURCE__,
      },
    );
    c.init.call(
      'mount',
      [NULL, text(name), NULL, flags(MS, mount.flags | MS.MS_BIND | MS.MS_REMOUNT), NULL],
      {
        ...words,
        title: `${hierarchyName(hierarchy)} gets its flags`,
        source: __SOURCE__,
      },
    );
  }
  if (hierarchy.controllers.length < 2) return;
  for (const controller of hierarchy.controllers) {
    if (controller === name) continue;
    c.init.call('symlinkat', [text(name), AT_FDCWD, text(controller)], {
      ...words,
      title: `${controller} is a part of ${name}`,
      source: __SOURCE__,
      ignore: [ERRNO.EEXIST],
    });
  }
};
