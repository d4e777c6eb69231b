/**
 * Applies a layer to a snapshot: blob → decompress → hash → tar → files.
 *
 * The answer is the digest of the *uncompressed* tar, the layer's diff id, by which the image's config names it.
 * Upstream: containerd core/diff/apply.
 */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { readTar } from '../archive/tar-reader.ts';
import { finishDigest, startDigest, type Digest } from '../content/digest.ts';
import { invalidArgument } from '../errors.ts';
import { ContainedRoot } from './contained-root.ts';
import { decompress } from './decompress.ts';
import { Unpacker, type SpecialFiles } from './unpack.ts';

export interface LayerLimits {
  /** Of the uncompressed tar, and of all files with their holes: a small blob can hold very large ones. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const DEFAULT_LIMITS: LayerLimits = { maxBytes: 16 * 1024 ** 3, maxEntries: 1_000_000 };

export interface AppliedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
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
  const meter = new TarMeter(limits.maxBytes);
  const unpacker = new Unpacker(root, special);
  let entries = 0;
  let fileBytes = 0;
  try {
    for await (const entry of readTar(meter.through(decompress(blob)))) {
      signal?.throwIfAborted();
      entries += 1;
      fileBytes += entry.header.sizeBytes;
      if (entries > limits.maxEntries)
        throw invalidArgument(`layer has more than ${limits.maxEntries} entries`);
      if (fileBytes > limits.maxBytes)
        throw invalidArgument(`files of the layer are larger than ${limits.maxBytes} bytes`);
      await unpacker.entry(entry);
    }
    await unpacker.finish();
  } catch (error) {
    throw asEngineError(error);
  } finally {
    root.close();
  }
  return { digest: meter.digest(), sizeBytes: meter.sizeBytes, entries };
};

/** Counts and hashes what goes through. */
class TarMeter {
  sizeBytes = 0;
  readonly #hash = startDigest();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.sizeBytes += chunk.length;
      if (this.sizeBytes > this.#maxBytes)
        throw invalidArgument(`layer is larger than ${this.#maxBytes} bytes uncompressed`);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  digest(): Digest {
    return finishDigest(this.#hash);
  }
}

/** What is wrong with the bytes is the caller's fault, what is wrong with the disk is not. */
const asEngineError = (error: unknown): unknown => {
  if (error instanceof EngineError) return error;
  const words = `failed to apply layer: ${messageOf(error)}`;
  const isFromSystem = error instanceof Error && 'syscall' in error;
  return isFromSystem
    ? new EngineError('unknown', words, { cause: error })
    : invalidArgument(words, { cause: error });
};
