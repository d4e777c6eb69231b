/**
 * A thread that applies layers, one after the other: decompressing, hashing and writing are work for a whole processor,
 * and containerd answers others meanwhile. `apply-pool.ts` is its other end.
 */
import { parentPort } from 'node:worker_threads';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import { native } from '../../native/load.ts';
import { blobApplier, type BlobToApply } from './apply-blob.ts';
import type { AppliedLayer } from './apply.ts';

/** A layer, or to give up the one that is being applied. */
export type ToThread = BlobToApply | 'cancel';
export type FromThread =
  | { readonly applied: AppliedLayer }
  | { readonly kind: EngineError['kind']; readonly message: string };

const apply = blobApplier(native);
let cancel = (): void => undefined;

const answer = async (blob: BlobToApply): Promise<FromThread> => {
  const abort = new AbortController();
  cancel = () => abort.abort(new EngineError('cancelled', 'context canceled'));
  try {
    return { applied: await apply(blob, abort.signal) };
  } catch (error) {
    return { kind: kindOf(error), message: messageOf(error) };
  }
};

parentPort?.on('message', (message: ToThread) => {
  if (message === 'cancel') cancel();
  else void answer(message).then((said) => parentPort?.postMessage(said));
});
