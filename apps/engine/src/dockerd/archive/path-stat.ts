/** What `docker cp` asks of a path before it copies. Upstream: moby daemon/archive.go, api/types/container PathStat. */
import type { Stats } from 'node:fs';
import { posix } from 'node:path';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import type { ContainedRoot, Place } from './contained-root.ts';

export interface PathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** Go's os.FileMode has bits of its own above the permissions. https://pkg.go.dev/io/fs#FileMode */
const goMode = (stats: Stats): number => {
  const kinds: readonly (readonly [boolean, number])[] = [
    [stats.isDirectory(), 2 ** 31],
    [stats.isSymbolicLink(), 2 ** 27],
    [stats.isBlockDevice() || stats.isCharacterDevice(), 2 ** 26],
    [stats.isFIFO(), 2 ** 25],
    [stats.isSocket(), 2 ** 24],
    [(stats.mode & 0o4000) !== 0, 2 ** 23],
    [(stats.mode & 0o2000) !== 0, 2 ** 22],
    [stats.isCharacterDevice(), 2 ** 21],
    [(stats.mode & 0o1000) !== 0, 2 ** 20],
  ];
  return kinds.reduce((sum, [is, bit]) => (is ? sum + bit : sum), stats.mode & 0o777);
};

/** A path that ends in `/` or `/.` means the folder itself, also behind a link. */
export const meansFolder = (path: string): boolean => /(^|\/)\.?$/.test(path);

/** Go's filepath.Base: the last name, also when it is a dot. */
export const baseOf = (path: string): string => {
  const trimmed = posix.join('/', path) === '/' ? '/' : path.replace(/\/+$/, '');
  return trimmed === '/' ? '/' : (trimmed.split('/').at(-1) ?? '/');
};

/** Looks at a path as `docker cp` does: a link at the end is not followed, unless the path says that it means a folder. */
export const lookAt = <T>(
  root: ContainedRoot,
  path: string,
  container: string,
  work: (place: Place & { readonly stats: Stats }) => T | Promise<T>,
): Promise<T> => {
  const missing = () =>
    new EngineError('not_found', `Could not find the file ${path} in container ${container}`);
  let isFound = false;
  return root
    .at(path, { followsLast: meansFolder(path) }, (place) => {
      const { stats } = place;
      if (!stats || (meansFolder(path) && !stats.isDirectory())) throw missing();
      isFound = true;
      return work({ ...place, stats });
    })
    .catch((error: unknown) => {
      if (isFound) throw error;
      throw kindOf(error) === 'invalid_argument' && path.includes('\0') ? error : missing();
    });
};

export const statPath = async (
  root: ContainedRoot,
  path: string,
  { stats }: Place & { readonly stats: Stats },
): Promise<PathStat> => ({
  name: baseOf(path),
  size: stats.size,
  mode: goMode(stats),
  mtime: stats.mtime.toISOString(),
  linkTarget: stats.isSymbolicLink() ? await targetOf(root, path) : '',
});

/** Where the link leads inside the root; what leads nowhere is told as far as it leads. */
const targetOf = (root: ContainedRoot, path: string): Promise<string> =>
  root.at(path, { followsLast: true }, ({ inside }) => inside).catch(() => '');
