/**
 * A tree as a tar, for `docker cp` out of a container and `docker export`. Sockets are left out: tar has none.
 * See tar(5). Upstream: github.com/moby/go-archive Tar.
 */
import { closeSync, constants, createReadStream, fstatSync, openSync, type Stats } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack, type Header, type Pack } from 'tar-stream';
import { messageOf } from '../../protocol/errdefs.ts';
import type { TreeEntry } from './walk-tree.ts';

/** The archive knows numbers, and not the names of owners. */
type HeaderFields = Omit<Header, 'uname' | 'gname' | 'devmajor' | 'devminor' | 'linkname'> &
  Partial<Header>;

/** The numbers of a device, as makedev(3) has put them together. */
const major = (device: number): number =>
  ((device / 2 ** 8) & 0xfff) | (Math.floor(device / 2 ** 32) & 0xfffff000);
const minor = (device: number): number =>
  (device & 0xff) | (Math.floor(device / 2 ** 12) & 0xffffff00);

const typeOf = (stats: Stats): Header['type'] | null => {
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character-device';
  if (stats.isBlockDevice()) return 'block-device';
  return stats.isFile() ? 'file' : null;
};

const headerOf = (
  name: string,
  type: Header['type'],
  { stats, target }: TreeEntry,
): HeaderFields => ({
  name: type === 'directory' ? `${name.replace(/\/$/, '')}/` : name,
  type,
  mode: stats.mode & 0o7777,
  uid: stats.uid,
  gid: stats.gid,
  mtime: stats.mtime,
  size: type === 'file' ? stats.size : 0,
  ...(target === undefined ? {} : { linkname: target }),
  ...(type === 'character-device' || type === 'block-device'
    ? { devmajor: major(stats.rdev), devminor: minor(stats.rdev) }
    : {}),
});

/** `nameOf` names an entry in the archive; null leaves it out. Ends with an error when the tree could not be read. */
export const packTree = (
  entries: Iterable<TreeEntry>,
  nameOf: (entry: TreeEntry) => string | null,
  onEnd: () => void,
): Pack => {
  const tar = pack();
  const write = async (): Promise<void> => {
    const firstName = new Map<string, string>();
    for (const entry of entries) {
      const name = nameOf(entry);
      const type = typeOf(entry.stats);
      if (name === null || type === null) continue;
      const { dev, ino, nlink } = entry.stats;
      const linked = type === 'file' && nlink > 1 ? firstName.get(`${dev}:${ino}`) : undefined;
      if (linked !== undefined) {
        await writeHeader(tar, { ...headerOf(name, 'link', entry), linkname: linked });
      } else if (type === 'file') {
        if (nlink > 1) firstName.set(`${dev}:${ino}`, name);
        await writeFile(tar, name, entry);
      } else await writeHeader(tar, headerOf(name, type, entry));
    }
    tar.finalize();
  };
  write()
    .catch((error: unknown) =>
      tar.destroy(error instanceof Error ? error : new Error(messageOf(error))),
    )
    .finally(onEnd);
  return tar;
};

const writeHeader = (tar: Pack, header: HeaderFields): Promise<void> =>
  new Promise((resolve, reject) => {
    tar.entry(header, '', (error) => (error ? reject(error) : resolve()));
  });

/** A file that grows meanwhile is cut where it ended when it was looked at. */
const writeFile = async (tar: Pack, name: string, entry: TreeEntry): Promise<void> => {
  const fd = openSync(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  if (!stats.isFile() || stats.size === 0) {
    closeSync(fd);
    await writeHeader(tar, { ...headerOf(name, 'file', entry), size: 0 });
    return;
  }
  const body = createReadStream('', { fd, start: 0, end: stats.size - 1 });
  await pipeline(body, tar.entry(headerOf(name, 'file', { ...entry, stats })));
};
