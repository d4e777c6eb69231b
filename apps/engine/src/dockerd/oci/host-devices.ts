/**
 * Devices of the host for a container: all of them (`--privileged`), one, or a folder of them (`--device`).
 * mknod(2), stat(2). Upstream: moby daemon/pkg/oci/devices_linux.go, containerd pkg/oci/utils_unix.go.
 */
import { readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxDevice } from '../../protocol/oci/runtime-spec.ts';

/** Not devices of the machine but somebody's terminals, shared memory and book-keeping. */
const SKIPPED_FOLDERS = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);
const PERMISSION_BITS = 0o7777;

/** makedev(3) backwards: the kernel's 64-bit form. */
const numbersOf = (rdev: number): { readonly major: number; readonly minor: number } => {
  const device = BigInt(rdev);
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
};

/** Null for what is no device, or has gone meanwhile. */
const statsOf = (path: string): Stats | null => {
  try {
    return statSync(path);
  } catch {
    return null;
  }
};

/** `path`: where the container finds it. Null when `stats` are not those of a device. */
const deviceFrom = (path: string, stats: Stats): LinuxDevice | null => {
  const type = stats.isBlockDevice() ? 'b' : stats.isCharacterDevice() ? 'c' : null;
  if (type === null) return null;
  return {
    type,
    path,
    ...numbersOf(stats.rdev),
    fileMode: stats.mode & PERMISSION_BITS,
    uid: stats.uid,
    gid: stats.gid,
  };
};

/** The devices below a folder, as `target` and below. */
const devicesBelow = (folder: string, target: string, skipped?: Set<string>): LinuxDevice[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const [path, shown] = [join(folder, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) return skipped?.has(entry.name) ? [] : devicesBelow(path, shown);
    // A link has a device of its own name beside it.
    if (entry.isSymbolicLink()) return [];
    const stats = statsOf(path);
    const device = stats && deviceFrom(shown, stats);
    return device ? [device] : [];
  });

/** Everything in /dev. The console is the container's own. */
export const allHostDevices = (): LinuxDevice[] =>
  devicesBelow('/dev', '/dev', SKIPPED_FOLDERS).filter(({ path }) => path !== '/dev/console');

/** What `--device pathOnHost:pathInContainer` means: a device, or a folder that holds some. */
export const devicesAt = (pathOnHost: string, pathInContainer: string): LinuxDevice[] => {
  const complain = (why: string): never => {
    throw new EngineError(
      'internal',
      `error gathering device information while adding custom device "${pathOnHost}": ${why}`,
    );
  };
  let path = pathOnHost;
  try {
    path = realpathSync(pathOnHost);
  } catch {
    // The question below says what is wrong.
  }
  const stats = statsOf(path);
  if (!stats) return complain('no such file or directory');
  const device = deviceFrom(pathInContainer, stats);
  if (device) return [device];
  const found = stats.isDirectory() ? devicesBelow(path, pathInContainer) : [];
  return found.length > 0 ? found : complain('not a device node');
};

/** The numbers of the device that limits are asked for by its path (`--device-read-bps /dev/sda:1mb`). */
export const numbersAt = (path: string): { readonly major: number; readonly minor: number } => {
  const stats = statsOf(path);
  if (!stats) throw new EngineError('internal', `stat ${path}: no such file or directory`);
  return numbersOf(stats.rdev);
};
