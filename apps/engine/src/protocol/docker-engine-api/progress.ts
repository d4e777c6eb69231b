/**
 * One line of the stream that a pull, a push or a load answers with; the CLI draws its bars from `progressDetail`.
 * Upstream: moby api/types/jsonstream.
 */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** A sentence for people, with its newline (`docker load`). */
  readonly stream?: string;
  /** For programs: what was pushed. */
  readonly aux?: unknown;
  readonly errorDetail?: { readonly message: string };
  readonly error?: string;
}
