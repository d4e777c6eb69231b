/**
 * The kinds of error that cross process boundaries. The words are containerd's and moby's `errdefs`.
 * Only `dockerd/api/http-status.ts` turns a kind into an HTTP status, only `transport/status-code.ts` into a gRPC code.
 */
export type ErrorKind =
  | 'not_found'
  | 'invalid_argument'
  | 'conflict'
  | 'already_exists'
  | 'not_modified'
  | 'failed_precondition'
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable'
  | 'not_implemented'
  | 'deadline'
  | 'cancelled'
  | 'unknown'
  | 'internal';

export class EngineError extends Error {
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }
}

/** The kind of anything that was thrown; what is not an EngineError is `internal`. */
export const kindOf = (error: unknown): ErrorKind =>
  error instanceof EngineError ? error.kind : 'internal';

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
