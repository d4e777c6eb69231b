/**
 * One line of the stream that a pull or a push answers with; the CLI draws its bars from `progressDetail`.
 * Upstream: moby api/types/jsonstream.
 */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** For programs: what was pushed. */
  readonly aux?: unknown;
  readonly errorDetail?: { readonly message: string };
  readonly error?: string;
}
