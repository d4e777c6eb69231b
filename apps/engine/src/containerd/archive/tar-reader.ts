/**
 * A tar, entry by entry, out of a stream of bytes; nothing of a file is kept in memory.
 *
 * Written for layers: values of PAX records stay bytes (file capabilities), holes stay holes, and whoever wrote the
 * archive is not trusted. Upstream: Go's archive/tar, which containerd uses.
 */
import { ByteReader } from './byte-reader.ts';
import { decodePax, paxAttributes, paxNumber, paxText, paxTime, type PaxRecords } from './pax.ts';
import { readSparseMap, type Extent } from './sparse.ts';
import {
  BLOCK,
  decodeHeader,
  invalidTar,
  isZeroBlock,
  textOf,
  typeOf,
  type RawHeader,
  type TarType,
} from './tar-header.ts';

export interface TarHeader {
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the file, holes included. */
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  readonly attributes: ReadonlyMap<string, Buffer>;
}

/** Data of a file; what lies between two pieces is a hole. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface TarEntry {
  readonly header: TarHeader;
  /** To be read before the next entry, or not at all. */
  readonly data: AsyncIterable<Piece>;
}

/** Long names and PAX records of one file together; Go's limit. */
const MAX_SPECIAL_BYTES = 1024 * 1024;

export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(source);
  let special: Special = NOTHING_SPECIAL;
  for (;;) {
    const block = await bytes.takeOrEnd(BLOCK);
    // The end is two blocks of zeros; some writers forget them.
    if (!block || isZeroBlock(block)) break;
    const raw = decodeHeader(block);
    if (raw.flag in SPECIAL_KINDS) {
      if (raw.sizeBytes > MAX_SPECIAL_BYTES) throw invalidTar('header is too long');
      const content = await bytes.take(raw.sizeBytes);
      await bytes.skip(paddingOf(raw.sizeBytes));
      special = withSpecial(special, raw.flag, content);
      continue;
    }
    const entry = await readEntry(bytes, raw, special);
    special = NOTHING_SPECIAL;
    yield entry.entry;
    await entry.skipRest();
  }
  await bytes.drain();
}

/** What comes before a header and speaks of it. */
interface Special {
  readonly pax: PaxRecords;
  readonly name: string | undefined;
  readonly linkName: string | undefined;
}

const NOTHING_SPECIAL: Special = { pax: [], name: undefined, linkName: undefined };

/** `g` speaks of all that follow; as in containerd, nobody listens. */
const SPECIAL_KINDS = { x: true, X: true, g: true, L: true, K: true };

const withSpecial = (special: Special, flag: string, content: Buffer): Special => {
  const text = (): string => {
    const end = content.indexOf(0);
    return textOf(end < 0 ? content : content.subarray(0, end));
  };
  if (flag === 'L') return { ...special, name: text() };
  if (flag === 'K') return { ...special, linkName: text() };
  return flag === 'g' ? special : { ...special, pax: decodePax(content) };
};

const readEntry = async (bytes: ByteReader, raw: RawHeader, special: Special) => {
  const { pax } = special;
  const name = paxText(pax, 'GNU.sparse.name') ?? paxText(pax, 'path') ?? special.name ?? raw.name;
  const type = typeOf(raw.flag, name);
  // A link may name a size, but has no data.
  let left = type === 'file' ? (paxNumber(pax, 'size') ?? raw.sizeBytes) : 0;
  const padding = paddingOf(left);
  const take = async (length: number): Promise<Buffer> => {
    if (length > left) throw invalidTar('data ends early');
    left -= length;
    return bytes.take(length);
  };
  const map =
    type === 'file'
      ? await readSparseMap(raw, pax, { block: (length) => bytes.take(length), data: take })
      : undefined;
  const extents: readonly Extent[] = map?.extents ?? [{ offset: 0, length: left }];
  if (map && extents.reduce((sum, { length }) => sum + length, 0) !== left)
    throw invalidTar('sparse map does not fit its data');
  const header: TarHeader = {
    name,
    type,
    mode: raw.mode & 0o7777,
    uid: paxNumber(pax, 'uid') ?? raw.uid,
    gid: paxNumber(pax, 'gid') ?? raw.gid,
    sizeBytes: map?.realSizeBytes ?? left,
    modifiedAt: new Date((paxTime(pax, 'mtime') ?? raw.modifiedAtSeconds) * 1000),
    linkName: paxText(pax, 'linkpath') ?? special.linkName ?? raw.linkName,
    major: raw.major,
    minor: raw.minor,
    attributes: paxAttributes(pax),
  };
  async function* data(): AsyncGenerator<Piece> {
    for (const extent of extents) {
      for (let { offset, length } = extent; length > 0;) {
        const piece = await bytes.takeSome(length);
        left -= piece.length;
        yield { offset, bytes: piece };
        offset += piece.length;
        length -= piece.length;
      }
    }
  }
  return {
    entry: { header, data: data() },
    skipRest: async () => bytes.skip(left + padding),
  };
};

const paddingOf = (sizeBytes: number): number => (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
