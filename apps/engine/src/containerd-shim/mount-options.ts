/**
 * From the words of mount(8) to the two arguments of mount(2): flags, and data for the filesystem.
 * Upstream: containerd core/mount/mount_linux.go (parseMountOptions, compactLowerdirOption).
 */

/** include/uapi/linux/mount.h */
const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  MANDLOCK: 64,
  DIRSYNC: 128,
  NOATIME: 1024,
  NODIRATIME: 2048,
  BIND: 4096,
  REC: 16384,
  RELATIME: 1 << 21,
  STRICTATIME: 1 << 24,
} as const;

export const MS_BIND = MS.BIND;
export const MS_RDONLY = MS.RDONLY;
export const MS_REMOUNT = MS.REMOUNT;

const SET: Readonly<Record<string, number>> = {
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  sync: MS.SYNCHRONOUS,
  remount: MS.REMOUNT,
  mand: MS.MANDLOCK,
  dirsync: MS.DIRSYNC,
  noatime: MS.NOATIME,
  nodiratime: MS.NODIRATIME,
  bind: MS.BIND,
  rbind: MS.BIND | MS.REC,
  relatime: MS.RELATIME,
  strictatime: MS.STRICTATIME,
};
const CLEAR: Readonly<Record<string, number>> = {
  rw: MS.RDONLY,
  suid: MS.NOSUID,
  dev: MS.NODEV,
  exec: MS.NOEXEC,
  async: MS.SYNCHRONOUS,
  nomand: MS.MANDLOCK,
  atime: MS.NOATIME,
  diratime: MS.NODIRATIME,
  norelatime: MS.RELATIME,
  nostrictatime: MS.STRICTATIME,
};
/** Words for programs that mount, which the kernel does not know. */
const IGNORED = new Set(['defaults', 'loop', 'auto', 'noauto', '_netdev']);

export const parseMountOptions = (
  options: readonly string[],
): { readonly flags: number; readonly data: readonly string[] } => {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const set = SET[option];
    const clear = CLEAR[option];
    if (set !== undefined) flags |= set;
    else if (clear !== undefined) flags &= ~clear;
    else if (!IGNORED.has(option)) data.push(option);
  }
  return { flags, data };
};

const LOWER = 'lowerdir=';

/**
 * mount(2) takes one page of data, and an image of many layers has a longer `lowerdir=`. Relative to the directory
 * that all layers share, the names are short: mount from there.
 */
export const compactLowerDirectories = (
  data: readonly string[],
): { readonly directory: string | null; readonly data: readonly string[] } => {
  const lower =
    data
      .find((option) => option.startsWith(LOWER))
      ?.slice(LOWER.length)
      .split(':') ?? [];
  if (lower.length < 2 || !lower.every((path) => path.startsWith('/')))
    return { directory: null, data };
  const shared = sharedDirectory(lower);
  if (shared === '/') return { directory: null, data };
  const relative = lower.map((path) => path.slice(shared.length + 1));
  return {
    directory: shared,
    data: data.map((option) =>
      option.startsWith(LOWER) ? `${LOWER}${relative.join(':')}` : option,
    ),
  };
};

const sharedDirectory = (paths: readonly string[]): string => {
  const [first = [], ...others] = paths.map((path) => path.split('/'));
  let depth = 0;
  // The last part of a path is a layer of its own, never the shared directory.
  while (
    depth < first.length - 1 &&
    others.every((parts) => parts[depth] === first[depth] && depth < parts.length - 1)
  )
    depth += 1;
  return first.slice(0, depth).join('/') || '/';
};
