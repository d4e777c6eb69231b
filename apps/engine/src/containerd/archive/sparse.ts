/**
 * Files with holes: only the data between the holes is in the archive, with a map of where it belongs.
 * Four formats of GNU tar: old (in the header), and PAX 0.0, 0.1, 1.0.
 * Reference: https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
 */
import { paxNumber, paxText, type PaxRecords } from './pax.ts';
import { BLOCK, invalidTar, numberAt, type RawHeader } from './tar-header.ts';

/** A piece of data and where in the file it stands. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface SparseMap {
  readonly extents: readonly Extent[];
  /** With the holes. */
  readonly realSizeBytes: number;
}

/** A map of more pieces is an attack. */
const MAX_EXTENTS = 100_000;

/** Takes so many bytes of the entry's own data (the map of format 1.0), or blocks that follow the header (old format). */
export type Take = (length: number) => Promise<Buffer>;

export const readSparseMap = async (
  header: RawHeader,
  pax: PaxRecords,
  take: { readonly block: Take; readonly data: Take },
): Promise<SparseMap | undefined> => {
  const map = await findMap(header, pax, take);
  if (map) check(map);
  return map;
};

const findMap = async (
  header: RawHeader,
  pax: PaxRecords,
  take: { readonly block: Take; readonly data: Take },
): Promise<SparseMap | undefined> => {
  if (header.flag === 'S') return oldMap(header.block, take.block);
  const version = `${paxText(pax, 'GNU.sparse.major') ?? ''}.${paxText(pax, 'GNU.sparse.minor') ?? ''}`;
  if (version === '1.0') {
    return {
      extents: await mapInData(take.data),
      realSizeBytes: paxNumber(pax, 'GNU.sparse.realsize') ?? 0,
    };
  }
  const realSizeBytes = paxNumber(pax, 'GNU.sparse.size');
  if (realSizeBytes === undefined) return undefined;
  const text = paxText(pax, 'GNU.sparse.map');
  if (text !== undefined) return { extents: pairs(text.split(',')), realSizeBytes };
  const numbers = pax
    .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
    .map(([, value]) => value.toString('latin1'));
  return { extents: pairs(numbers), realSizeBytes };
};

/** Four pieces in the header, 21 in each block after it. */
const oldMap = async (header: Buffer, block: Take): Promise<SparseMap> => {
  const extents: Extent[] = [];
  const read = (from: Buffer, start: number, count: number): void => {
    for (let index = 0; index < count; index += 1) {
      const at = start + index * 24;
      if (from[at] === 0) return;
      extents.push({ offset: numberAt(from, at, 12), length: numberAt(from, at + 12, 12) });
    }
  };
  read(header, 386, 4);
  for (let goesOn = header[482] === 1; goesOn;) {
    const more = await block(BLOCK);
    read(more, 0, 21);
    if (extents.length > MAX_EXTENTS) break;
    goesOn = more[504] === 1;
  }
  return { extents, realSizeBytes: numberAt(header, 483, 12) };
};

/** Decimal numbers, a line each, in whole blocks: first how many pieces, then offset and length of each. */
const mapInData = async (data: Take): Promise<Extent[]> => {
  let text = '';
  const numbers: string[] = [];
  for (let wanted = 1; numbers.length < wanted;) {
    text += (await data(BLOCK)).toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    numbers.push(...lines);
    const count = Number(numbers[0] ?? 'NaN');
    if (numbers.length > 0 && !(count >= 0 && count <= MAX_EXTENTS)) throw invalidTar('sparse map');
    if (numbers.length > 0) wanted = 1 + 2 * count;
  }
  return pairs(numbers.slice(1, 1 + 2 * Number(numbers[0])));
};

const pairs = (numbers: readonly string[]): Extent[] => {
  const extents: Extent[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    const [offset = '', length = ''] = numbers.slice(index, index + 2);
    if (!/^\d+$/.test(offset) || !/^\d+$/.test(length)) throw invalidTar('sparse map');
    extents.push({ offset: Number(offset), length: Number(length) });
  }
  return extents;
};

/** In order, without overlap, inside the file. */
const check = ({ extents, realSizeBytes }: SparseMap): void => {
  if (extents.length > MAX_EXTENTS) throw invalidTar('sparse map has too many pieces');
  let end = 0;
  for (const { offset, length } of extents) {
    if (offset < end || !Number.isSafeInteger(offset + length)) throw invalidTar('sparse map');
    end = offset + length;
  }
  if (end > realSizeBytes) throw invalidTar('sparse map is longer than its file');
};
