/**
 * The only place where a kind of error becomes an HTTP status.
 * Upstream: moby daemon/server/httpstatus/status.go.
 */
import type { ErrorKind } from '../../protocol/errdefs.ts';

export const HTTP_STATUS: Readonly<Record<ErrorKind, number>> = {
  not_modified: 304,
  invalid_argument: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  already_exists: 409,
  // Docker maps containerd's failed precondition to a conflict as well.
  failed_precondition: 409,
  cancelled: 500,
  deadline: 500,
  unknown: 500,
  internal: 500,
  not_implemented: 501,
  unavailable: 503,
};
