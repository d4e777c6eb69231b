/**
 * The few devices of a container: made by number, as none of the host's /dev is visible.
 * mknod(2), null(4), OCI config-linux.md#default-devices. Upstream: runc libcontainer/rootfs_linux.go.
 */
import { posix } from 'node:path';
import type { LinuxDevice } from '../../protocol/oci/runtime-spec.ts';
import { type Compilation, refuse, SLOT } from '../compilation.ts';
import { isInUserNamespace } from '../namespaces.ts';
import { MS, S_IFMT_OF } from '../plan/constants.ts';
import { ERRNO } from '../plan/errno.ts';
import { fdPath, flags, NULL, number, slot, text } from '../plan/stage-builder.ts';
import { insideRoot, makeFolder, openPlace, placeForFile, shownPlace } from './in-root.ts';
import type { ParsedMount } from './parse-mounts.ts';

const character = (path: string, major: number, minor: number): LinuxDevice => ({
  type: 'c',
  path,
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

/** In every container. /dev/ptmx is a link into the container's own devpts, /dev/console a mount. */
export const DEFAULT_DEVICES: readonly LinuxDevice[] = [
  character('/dev/null', 1, 3),
  character('/dev/random', 1, 8),
  character('/dev/full', 1, 7),
  character('/dev/tty', 5, 0),
  character('/dev/zero', 1, 5),
  character('/dev/urandom', 1, 9),
];

/** makedev(3) as the kernel's 32-bit form. */
export const deviceNumber = (major: number, minor: number): number =>
  ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;

/** A bind-mounted /dev is somebody else's: nothing is made in it. */
export const hasOwnDev = (mounts: readonly ParsedMount[]): boolean =>
  !mounts.some(({ destination, isBind }) => destination === '/dev' && isBind);

export const makeDevices = (c: Compilation): void => {
  const wanted = c.linux.devices ?? [];
  // What config.json names replaces the default of the same path.
  const devices = [
    ...wanted,
    ...DEFAULT_DEVICES.filter(
      ({ path }) => !wanted.some((device) => insideRoot(device.path) === insideRoot(path)),
    ),
  ];
  if (isInUserNamespace(c)) {
    for (const device of devices) showHostsDevice(c, `/${insideRoot(device.path)}`);
    return;
  }
  const folders = new Set<string>();
  for (const device of devices) {
    const folder = posix.dirname(`/${insideRoot(device.path)}`);
    if (!folders.has(folder)) makeFolder(c, folder, { purpose: 'device' });
    folders.add(folder);
  }
  let open: string | null = null;
  for (const device of devices) {
    const path = `/${insideRoot(device.path)}`;
    // /dev/ptmx must be the container's own: linkDevices makes it.
    if (path === '/dev/ptmx') continue;
    const folder = posix.dirname(path);
    if (folder !== open) openPlace(c, folder, { into: SLOT.folder, purpose: 'device' });
    open = folder;
    makeDevice(c, device, path);
  }
};

/** Nobody in a user namespace may make a device; the host's own is shown instead. user_namespaces(7) */
const showHostsDevice = (c: Compilation, path: string): void => {
  if (path === '/dev/ptmx') return;
  placeForFile(c, path, { purpose: 'device' });
  c.init.call(
    'mount',
    [text(path), fdPath(SLOT.target, shownPlace(path)), NULL, flags(MS, MS.MS_BIND), NULL],
    {
      title: `show the host's device ${path}`,
      object: 'device',
      source: __SOURCE__,
      reference: 'man:user_namespaces(7)',
      purpose: 'device',
      attributes: { 'engineroom.mount.target': path, 'engineroom.mount.type': 'bind' },
    },
  );
};

const makeDevice = (c: Compilation, device: LinuxDevice, path: string): void => {
  const kind = device.type === 'u' ? 'c' : device.type;
  const [major, minor] = [device.major ?? 0, device.minor ?? 0];
  if (kind !== 'p' && (major < 0 || minor < 0)) refuse(`device ${path} has no valid number`);
  const mode = S_IFMT_OF[kind] | ((device.fileMode ?? 0o666) & 0o7777);
  const name = posix.basename(path);
  c.init.call(
    'mknodat',
    [
      slot(SLOT.folder),
      text(name),
      number(mode, `0${mode.toString(8)}`),
      number(deviceNumber(major, minor), `makedev(${major}, ${minor})`),
    ],
    {
      title: `make the device ${path}`,
      object: 'device',
      source: __SOURCE__,
      reference: 'man:mknod(2)',
      ignore: [ERRNO.EEXIST],
      purpose: 'device',
    },
  );
  const [uid, gid] = [device.uid ?? 0, device.gid ?? 0];
  if (uid === 0 && gid === 0) return;
  c.init.call(
    'fchownat',
    [slot(SLOT.folder), text(name), number(uid), number(gid), number(0x100, 'AT_SYMLINK_NOFOLLOW')],
    {
      title: `give the device ${path} to ${uid}:${gid}`,
      object: 'device',
      source: __SOURCE__,
      reference: 'man:chown(2)',
      purpose: 'device',
    },
  );
};

/** Names that programs expect in /dev. */
export const linkDevices = (c: Compilation): void => {
  const links = [
    ['/proc/self/fd', 'fd'],
    ['/proc/self/fd/0', 'stdin'],
    ['/proc/self/fd/1', 'stdout'],
    ['/proc/self/fd/2', 'stderr'],
    ...(c.facts.files.exists('/proc/kcore') ? [['/proc/kcore', 'core'] as const] : []),
    ['pts/ptmx', 'ptmx'],
  ] as const;
  openPlace(c, '/dev', { into: SLOT.folder, purpose: 'device' });
  for (const [target, name] of links) {
    c.init.call('symlinkat', [text(target), slot(SLOT.folder), text(name)], {
      title: `/dev/${name} leads to ${target}`,
      object: 'device',
      source: __SOURCE__,
      reference: 'OCI runtime-linux.md#dev-symbolic-links',
      ignore: [ERRNO.EEXIST],
      purpose: 'device',
    });
  }
};
