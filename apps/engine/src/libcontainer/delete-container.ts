/**
 * `runc delete`: removes the cgroups and the state of a stopped container.
 * Upstream: runc delete.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';

export interface DeleteOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
  /** Kill what still runs in the container first, and do not mind when the container is not there. */
  readonly force?: boolean;
}

/** Rejects with `not_found` (no such container) or `failed_precondition` (still running, no `force`). */
export const deleteContainer = (options: DeleteOptions): Promise<void> =>
  Promise.reject(new EngineError('not_implemented', `delete ${options.id}`));
