/**
 * Changes between two trees become a layer: a tar in which `.wh.NAME` says that NAME is gone.
 * Spec: https://github.com/opencontainers/image-spec/blob/main/layer.md. Upstream: containerd pkg/archive (WriteDiff).
 */
import { constants, readlinkSync, type BigIntStats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import { encodeHeader, padding, TAR_END } from '../archive/tar-writer.ts';
import type { TarHeader } from '../archive/tar-reader.ts';
import type { TarType } from '../archive/tar-header.ts';
import type { AttributeReader, Change } from './changes.ts';

const READ_BYTES = 256 * 1024;
/** The attributes that belong to a file; others belong to the file system it happens to lie on. */
const isPortable = (name: string): boolean =>
  name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));

export async function* layerOf(
  changes: AsyncIterable<Change>,
  attributes: AttributeReader,
  whiteoutTime: Date,
): AsyncGenerator<Buffer> {
  /** By inode: the first name under which a file was written. */
  const written = new Map<string, string>();
  for await (const change of changes) {
    if (change.kind === 'delete') {
      yield encodeHeader(whiteout(change.path, whiteoutTime));
      continue;
    }
    const { path, stat, place } = change;
    const type = typeOf(stat);
    // A socket is nothing without the process that listens.
    if (!type) continue;
    const header = headerOf(change, type, attributes);
    const inode = `${stat.dev}:${stat.ino}`;
    const first = type === 'file' && stat.nlink > 1n ? written.get(inode) : undefined;
    if (first !== undefined) {
      yield encodeHeader({ ...header, type: 'link', linkName: first, attributes: new Map() });
      continue;
    }
    if (type === 'file') {
      if (stat.nlink > 1n) written.set(inode, path);
      yield* fileOf(header, place);
    } else yield encodeHeader(header);
  }
  yield TAR_END;
}

const whiteout = (path: string, modifiedAt: Date): TarHeader => ({
  name: posix.join(posix.dirname(path), `.wh.${posix.basename(path)}`),
  type: 'file',
  mode: 0,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  modifiedAt,
  linkName: '',
  major: 0,
  minor: 0,
  attributes: new Map(),
});

const headerOf = (
  { path, stat, place }: Exclude<Change, { readonly kind: 'delete' }>,
  type: TarType,
  attributes: AttributeReader,
): TarHeader => {
  const isDevice = type === 'character-device' || type === 'block-device';
  const rdev = Number(stat.rdev);
  return {
    name: type === 'directory' ? `${path}/` : path,
    type,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes: type === 'file' ? Number(stat.size) : 0,
    modifiedAt: new Date(Number(stat.mtimeMs)),
    linkName: type === 'symlink' ? readlinkSync(place) : '',
    // makedev(3): twelve bits of major above eight of minor, the rest of minor above both.
    major: isDevice ? (rdev >> 8) & 0xfff : 0,
    minor: isDevice ? (rdev & 0xff) | ((rdev >> 12) & 0xfff00) : 0,
    attributes: type === 'symlink' ? new Map() : attributesOf(place, attributes),
  };
};

const typeOf = (stat: BigIntStats): TarType | undefined => {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character-device';
  if (stat.isBlockDevice()) return 'block-device';
  return stat.isFIFO() ? 'fifo' : undefined;
};

const attributesOf = (
  place: string,
  { listAttributes, getAttribute }: AttributeReader,
): ReadonlyMap<string, Buffer> => {
  const found = new Map<string, Buffer>();
  try {
    for (const name of listAttributes(place).filter(isPortable))
      found.set(name, Buffer.from(getAttribute(place, name)));
  } catch {
    // This file system has none.
  }
  return found;
};

/** The size that the header tells is the one of the open file; it must not change while it is read. */
async function* fileOf(header: TarHeader, place: string): AsyncGenerator<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(place, flags);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw changed(header);
    yield encodeHeader({ ...header, sizeBytes: stat.size });
    yield* contentOf(file, stat.size, header);
    yield padding(stat.size);
  } finally {
    await file.close();
  }
}

async function* contentOf(
  file: FileHandle,
  sizeBytes: number,
  header: TarHeader,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes;) {
    const length = Math.min(READ_BYTES, sizeBytes - at);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    if (bytesRead === 0) throw changed(header);
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const changed = ({ name }: TarHeader): EngineError =>
  new EngineError('failed_precondition', `${name} changed while it was read: failed precondition`);
