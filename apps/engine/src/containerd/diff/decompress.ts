/**
 * A blob becomes the tar that was compressed: gzip, zstd or neither. The bytes say which; media types are often wrong
 * about it. Upstream: containerd pkg/archive/compression.
 */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unzstd } from './zstd.ts';

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Node's own 16 KiB would be a thousand small buffers a layer. */
const OUTPUT_BYTES = 256 * 1024;

export async function* decompress(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = blob[Symbol.asyncIterator]();
  const first = await firstBytes(chunks, ZSTD_MAGIC.length);
  const whole = joined(first, chunks);
  if (first.subarray(0, 4).equals(ZSTD_MAGIC)) yield* unzstd(whole);
  else if (first.subarray(0, 3).equals(GZIP_MAGIC)) yield* gunzip(whole);
  else yield* whole;
}

const firstBytes = async (chunks: AsyncIterator<Uint8Array>, count: number): Promise<Buffer> => {
  let seen = Buffer.alloc(0);
  while (seen.length < count) {
    const { done, value } = await chunks.next();
    if (done) break;
    seen = Buffer.concat([seen, value]);
  }
  return seen;
};

async function* joined(
  first: Buffer,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  const output = createGunzip({ chunkSize: OUTPUT_BYTES });
  // A failure of the blob becomes one of the stream that is read.
  input.on('error', (error) => output.destroy(error));
  try {
    for await (const chunk of input.pipe(output)) yield chunk as Buffer;
  } finally {
    input.destroy();
    output.destroy();
  }
}
