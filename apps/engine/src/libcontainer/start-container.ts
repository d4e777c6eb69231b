/**
 * `runc start`: opens exec.fifo for reading, which lets the parked init run the container's program.
 * Upstream: runc start.go, libcontainer/container_linux.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';

export interface StartOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
}

/** Resolves when init has passed the fifo; `CreatedContainer.execed` tells of the execve that follows. */
export const startContainer = (options: StartOptions): Promise<void> =>
  Promise.reject(new EngineError('not_implemented', `start ${options.id}`));
