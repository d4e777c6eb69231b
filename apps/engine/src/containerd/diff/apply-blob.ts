/** Applies the layer that a file of the content store holds: what a thread does, and tests do without one. */
import { createReadStream } from 'node:fs';
import { applyLayer, type AppliedLayer } from './apply.ts';
import type { SpecialFiles } from './unpack.ts';

export interface BlobToApply {
  readonly blobPath: string;
  readonly target: string;
}

/** Applies one layer, here or in a thread. */
export type BlobApplier = (blob: BlobToApply, signal: AbortSignal) => Promise<AppliedLayer>;

const READ_BYTES = 256 * 1024;

export const blobApplier =
  (special: SpecialFiles): BlobApplier =>
  ({ blobPath, target }, signal) => {
    const blob = createReadStream(blobPath, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
    return applyLayer({ blob, target, special, signal });
  };
