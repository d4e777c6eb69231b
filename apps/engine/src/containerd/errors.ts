/**
 * Errors as containerd words them: what happened, then the kind. Clients in Go rebuild the kind from the status code
 * and cut the suffix off the sentence, so both must agree. Upstream: containerd/errdefs.
 */
import { EngineError } from '../protocol/errdefs.ts';

type Cause = { cause?: unknown };

export const notFound = (what: string, options?: Cause): EngineError =>
  new EngineError('not_found', `${what}: not found`, options);

export const alreadyExists = (what: string, options?: Cause): EngineError =>
  new EngineError('already_exists', `${what}: already exists`, options);

export const invalidArgument = (what: string, options?: Cause): EngineError =>
  new EngineError('invalid_argument', `${what}: invalid argument`, options);

export const failedPrecondition = (what: string, options?: Cause): EngineError =>
  new EngineError('failed_precondition', `${what}: failed precondition`, options);
