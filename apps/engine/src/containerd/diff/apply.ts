/**
 * Applies a layer to a snapshot: blob → decompress → hash → tar → files.
 *
 * The answer is the digest of the *uncompressed* tar, the layer's diff id, by which the image's config names it.
 * Upstream: containerd core/diff/apply.
 */
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable, Transform } from 'node:stream';
import { extract } from 'tar-stream';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { finishDigest, startDigest, type Digest } from '../content/digest.ts';
import { ContainedRoot } from './contained-root.ts';
import { Unpacker, type SpecialFiles } from './unpack.ts';

export interface LayerLimits {
  /** Of the uncompressed tar: a small blob can hold a very large one. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const DEFAULT_LIMITS: LayerLimits = { maxBytes: 16 * 1024 ** 3, maxEntries: 1_000_000 };

export interface AppliedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
  /** Extended attributes that could not be set; files lose their capabilities. */
  readonly skippedAttributes: number;
}

export interface ApplyOptions {
  readonly blob: AsyncIterable<Uint8Array>;
  readonly target: string;
  readonly special: SpecialFiles;
  readonly limits?: LayerLimits;
  readonly signal?: AbortSignal;
}

export const applyLayer = async ({
  blob,
  target,
  special,
  limits = DEFAULT_LIMITS,
  signal,
}: ApplyOptions): Promise<AppliedLayer> => {
  const root = new ContainedRoot(target);
  const tar = extract();
  const meter = new TarMeter(limits.maxBytes);
  const source = Readable.from(blob, { objectMode: false });
  const uncompressed = new PassThrough();
  // Whatever fails first tears the whole line down; the error that is told is the first one.
  const failure: { first?: unknown } = {};
  const fail = (error: unknown): void => {
    failure.first ??= error;
    const reason = error instanceof Error ? error : new Error(String(error));
    source.destroy(reason);
    tar.destroy(reason);
  };
  const decompressing = decompress(source, meter, uncompressed, signal).catch(fail);
  const feeding = feed(uncompressed, tar).catch(fail);
  const unpacker = new Unpacker(root, special);
  let entries = 0;
  try {
    for await (const entry of tar) {
      entries += 1;
      if (entries > limits.maxEntries) {
        throw new EngineError(
          'invalid_argument',
          `layer has more than ${limits.maxEntries} entries`,
        );
      }
      await unpacker.entry(entry.header, entry);
      entry.resume();
    }
    await unpacker.finish();
  } catch (error) {
    fail(error);
  } finally {
    await Promise.all([decompressing, feeding]);
    root.close();
  }
  if ('first' in failure) throw asEngineError(failure.first);
  const { skippedAttributes } = unpacker;
  return { digest: meter.digest(), sizeBytes: meter.sizeBytes, entries, skippedAttributes };
};

/** Counts and hashes what goes through. */
class TarMeter extends Transform {
  sizeBytes = 0;
  readonly #hash = startDigest();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    this.sizeBytes += chunk.length;
    if (this.sizeBytes > this.#maxBytes) {
      done(
        new EngineError(
          'invalid_argument',
          `layer is larger than ${this.#maxBytes} bytes uncompressed`,
        ),
      );
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): Digest {
    return finishDigest(this.#hash);
  }
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The bytes say how they are compressed; media types are often wrong about it. */
const decompress = async (
  source: Readable,
  meter: TarMeter,
  out: PassThrough,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const options = signal ? { signal } : {};
  try {
    const first = await firstBytes(source, 4);
    if (first.subarray(0, 4).equals(ZSTD_MAGIC)) {
      throw new EngineError(
        'not_implemented',
        'zstd-compressed layers are not supported: not implemented',
      );
    }
    const isGzip = first.subarray(0, 3).equals(GZIP_MAGIC);
    if (isGzip) await pipeline(source, createGunzip(), meter, out, options);
    else await pipeline(source, meter, out, options);
  } catch (error) {
    out.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
};

/** Looks at the beginning without taking it away. */
const firstBytes = async (source: Readable, count: number): Promise<Buffer> => {
  let seen = Buffer.alloc(0);
  while (seen.length < count) {
    const chunk = source.read() as Buffer | null;
    if (chunk) seen = Buffer.concat([seen, chunk]);
    else if (source.readableEnded || source.destroyed) break;
    else await Promise.race([once(source, 'readable'), once(source, 'end')]);
  }
  if (seen.length > 0) source.unshift(seen);
  return seen;
};

const feed = async (from: Readable, tar: ReturnType<typeof extract>): Promise<void> => {
  for await (const chunk of from) {
    if (tar.destroyed) return;
    if (!tar.write(chunk as Buffer)) await drained(tar);
  }
  tar.end(undefined);
};

const drained = (tar: ReturnType<typeof extract>): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      tar.off('drain', done);
      tar.off('close', done);
      resolve();
    };
    tar.on('drain', done);
    tar.on('close', done);
  });

/** What is wrong with the bytes is the caller's fault, what is wrong with the disk is not. */
const asEngineError = (error: unknown): unknown => {
  if (error instanceof EngineError) return error;
  const isFromSystem = error instanceof Error && 'syscall' in error;
  if (isFromSystem)
    return new EngineError('unknown', `failed to apply layer: ${messageOf(error)}`, {
      cause: error,
    });
  return new EngineError(
    'invalid_argument',
    `failed to apply layer: ${messageOf(error)}: invalid argument`,
    { cause: error },
  );
};
