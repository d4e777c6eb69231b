/**
 * Looks into a container's root file system before it runs: for /etc/passwd and /etc/group, and for what a new volume
 * shall show.
 *
 * The layers are shown by a read-only overlay mount for this moment. Links in an image may point anywhere, so a path
 * is walked step by step, and what would leave the root stays inside it, as after chroot(2).
 */
import { constants, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Native } from '../../../../../native/native.ts';
import type { Mount } from '../containerd-client/tasks.ts';
import type { UserFiles } from '../oci/user.ts';

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MNT_DETACH = 2;
const MAX_LINKS = 40;
const MAX_FILE_BYTES = 1024 * 1024;

const optionOf = (mount: Mount, name: string): string | undefined =>
  mount.options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);

/** Where the path leads inside the root, as a path of the host without links; undefined when nothing is there. */
export const resolveInRoot = async (root: string, path: string): Promise<string | undefined> => {
  let pending = path.split('/').filter(Boolean);
  let resolved = '/';
  for (let links = 0; pending.length > 0;) {
    const [name = '', ...rest] = pending;
    pending = rest;
    const next = posix.join(resolved, name);
    const stats = await lstat(join(root, next)).catch(() => null);
    if (!stats) return undefined;
    if (!stats.isSymbolicLink()) {
      resolved = next;
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    const target = await readlink(join(root, next));
    if (posix.isAbsolute(target)) resolved = '/';
    pending = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...pending];
  }
  return join(root, resolved);
};

/** Undefined when there is no such regular file. */
export const readInRoot = async (root: string, path: string): Promise<string | undefined> => {
  const resolved = await resolveInRoot(root, path);
  if (resolved === undefined) return undefined;
  const file = await open(
    resolved,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch(() => null);
  if (!file) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(MAX_FILE_BYTES),
      0,
      MAX_FILE_BYTES,
      0,
    );
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
};

/** How the layers are mounted for reading: the writable one becomes the uppermost of the read-only ones. */
const viewOf = (mount: Mount, target: string): Parameters<Native['mount']>[0] => {
  const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const upper = optionOf(mount, 'upperdir');
  const lower = optionOf(mount, 'lowerdir') ?? '';
  const data = `lowerdir=${upper ? `${upper}:` : ''}${lower}`;
  return { source: 'overlay', target, type: 'overlay', flags, data };
};

/** Shows the layers at `target` for as long as `work` looks at them. */
export const withRootView = async <T>(
  native: Pick<Native, 'mount' | 'unmount'>,
  mounts: readonly Mount[],
  target: string,
  work: (root: string) => Promise<T>,
): Promise<T | null> => {
  const [mount] = mounts;
  if (!mount) return null;
  // A single layer is a folder already.
  if (mount.type === 'bind') return work(mount.source);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  native.mount(viewOf(mount, target));
  try {
    return await work(target);
  } finally {
    native.unmount(target, MNT_DETACH);
    rmdirSync(target);
  }
};

export const readUserFiles = async (
  native: Pick<Native, 'mount' | 'unmount'>,
  mounts: readonly Mount[],
  target: string,
): Promise<UserFiles> => {
  const layers = untouchedLayers(mounts);
  const known = layers === null ? undefined : knownFiles.get(layers);
  if (known) return known;
  const files = (await withRootView(native, mounts, target, async (root) => ({
    passwd: (await readInRoot(root, 'etc/passwd')) ?? '',
    group: (await readInRoot(root, 'etc/group')) ?? '',
  }))) ?? { passwd: '', group: '' };
  if (layers !== null) {
    const [oldest] = knownFiles.keys();
    if (knownFiles.size >= MOST_KNOWN && oldest !== undefined) knownFiles.delete(oldest);
    knownFiles.set(layers, files);
  }
  return files;
};

/** By the layers of an image, which never change: most containers start from one that others started from. */
const knownFiles = new Map<string, UserFiles>();
const MOST_KNOWN = 16;

/** The image's layers, when the container has nothing of its own yet; null otherwise. */
const untouchedLayers = ([mount]: readonly Mount[]): string | null => {
  if (!mount) return null;
  const upper = optionOf(mount, 'upperdir');
  const lower = optionOf(mount, 'lowerdir');
  if (upper === undefined || lower === undefined) return null;
  try {
    return readdirSync(upper).length === 0 ? lower : null;
  } catch {
    return null;
  }
};
