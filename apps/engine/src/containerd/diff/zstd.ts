/**
 * Decompresses zstd, frame by frame and block by block, so that no frame can ask for more memory than is its due:
 * a header of ten bytes may name a window of gigabytes, and four bytes may stand for 128 KiB.
 * Format: RFC 8878. The decoding itself is fzstd's; Node has had none before 22.15.
 */
import { Decompress } from 'fzstd';
import { ByteReader } from '../archive/byte-reader.ts';
import { invalidArgument } from '../errors.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** What zstd(1) accepts without being told to take more. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const MAX_BLOCK_BYTES = 128 * 1024;
const RLE = 1;

export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteReader(source);
  for (let magic = await bytes.takeOrEnd(4); magic; magic = await bytes.takeOrEnd(4)) {
    const number = magic.readUInt32LE();
    if ((number & ~0xf) >>> 0 === SKIPPABLE) await bytes.skip((await bytes.take(4)).readUInt32LE());
    else if (number === MAGIC) yield* frame(bytes, magic);
    else throw broken('no frame begins here');
  }
}

async function* frame(bytes: ByteReader, magic: Buffer): AsyncGenerator<Uint8Array> {
  const { header, hasChecksum } = await frameHeader(bytes);
  let ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => {
    if (chunk.length > 0) ready.push(chunk);
  });
  const push = (part: Uint8Array, isLast = false): Uint8Array[] => {
    try {
      stream.push(part, isLast);
    } catch (error) {
      throw broken((error as Error).message);
    }
    const chunks = ready;
    ready = [];
    return chunks;
  };
  yield* push(Buffer.concat([magic, header]));
  for (let isLast = false; !isLast;) {
    const block = await bytes.take(3);
    const word = block.readUIntLE(0, 3);
    const length = word >> 3;
    isLast = (word & 1) === 1;
    if (length > MAX_BLOCK_BYTES) throw broken('a block is too large');
    const body = await bytes.take(((word >> 1) & 3) === RLE ? 1 : length);
    yield* push(Buffer.concat([block, body]));
  }
  yield* push(hasChecksum ? await bytes.take(4) : Buffer.alloc(0), true);
}

/** Without the magic number. */
const frameHeader = async (
  bytes: ByteReader,
): Promise<{ header: Buffer; hasChecksum: boolean }> => {
  const descriptor = (await bytes.take(1)).readUInt8();
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingle) : 1 << sizeFlag;
  const windowBytes = isSingle ? 0 : 1;
  const rest = await bytes.take(windowBytes + dictionaryBytes + sizeBytes);
  if (rest.subarray(windowBytes, windowBytes + dictionaryBytes).some((byte) => byte !== 0))
    throw broken('it needs a dictionary');
  const window = isSingle
    ? contentSize(rest.subarray(dictionaryBytes))
    : windowOf(rest.readUInt8());
  if (window > MAX_WINDOW_BYTES) throw broken(`it needs a window of ${window} bytes`);
  return { header: Buffer.from([descriptor, ...rest]), hasChecksum: (descriptor & 4) !== 0 };
};

const windowOf = (byte: number): number => {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
};

const contentSize = (field: Buffer): number => {
  const value = field.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return field.length === 2 ? value + 256 : value;
};

const broken = (reason: string) => invalidArgument(`broken zstd data: ${reason}`);
