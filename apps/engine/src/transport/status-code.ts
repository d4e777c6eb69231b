/**
 * Error kinds ↔ gRPC status codes, in both directions, for gRPC and ttrpc alike.
 *
 * containerd's Go clients rebuild an error from two things: the code, and the words at the end of the message
 * (`container "x" in namespace "moby": not found`). So the words are part of the protocol, and both ends add them.
 * https://github.com/containerd/errdefs and https://grpc.io/docs/guides/status-codes/
 */
import { EngineError, kindOf, messageOf, type ErrorKind } from '../protocol/errdefs.ts';

export const OK = 0;
export const RESOURCE_EXHAUSTED = 8;

interface Status {
  readonly code: number;
  /** How Go's sentence for this kind ends. */
  readonly suffix?: string;
}

const STATUS: Readonly<Record<ErrorKind, Status>> = {
  cancelled: { code: 1, suffix: 'context canceled' },
  unknown: { code: 2, suffix: 'unknown' },
  invalid_argument: { code: 3, suffix: 'invalid argument' },
  deadline: { code: 4, suffix: 'context deadline exceeded' },
  not_found: { code: 5, suffix: 'not found' },
  already_exists: { code: 6, suffix: 'already exists' },
  forbidden: { code: 7 },
  failed_precondition: { code: 9, suffix: 'failed precondition' },
  not_modified: { code: 9 },
  conflict: { code: 10 },
  not_implemented: { code: 12, suffix: 'not implemented' },
  internal: { code: 13 },
  unavailable: { code: 14, suffix: 'unavailable' },
  unauthorized: { code: 16 },
};

const KIND_OF_CODE: Readonly<Record<number, ErrorKind>> = {
  1: 'cancelled',
  3: 'invalid_argument',
  4: 'deadline',
  5: 'not_found',
  6: 'already_exists',
  7: 'forbidden',
  9: 'failed_precondition',
  10: 'conflict',
  12: 'not_implemented',
  13: 'internal',
  14: 'unavailable',
  16: 'unauthorized',
};

const withSuffix = (message: string, suffix: string | undefined): string => {
  if (suffix === undefined || message.endsWith(suffix)) return message;
  return message === '' ? suffix : `${message}: ${suffix}`;
};

/** What a server says of anything that its handler threw. */
export const statusOf = (error: unknown): { readonly code: number; readonly message: string } => {
  const kind = kindOf(error);
  const { code, suffix } = STATUS[kind];
  return { code, message: withSuffix(messageOf(error), kind === 'unknown' ? undefined : suffix) };
};

/** What a client throws for a status that is not OK: the sentence that Go's client would print. */
export const errorOf = (code: number, message: string): EngineError => {
  const kind = KIND_OF_CODE[code] ?? 'unknown';
  return new EngineError(kind, withSuffix(message, STATUS[kind].suffix));
};
