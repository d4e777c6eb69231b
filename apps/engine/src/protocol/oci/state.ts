/**
 * What `runc state` prints, and what hooks and callers of an OCI runtime read.
 * https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 */
import * as z from 'zod';

/** creating → created → running → stopped; upstream adds paused. */
export const Status = z.enum(['creating', 'created', 'running', 'paused', 'stopped']);

export const State = z.looseObject({
  ociVersion: z.string(),
  id: z.string(),
  status: Status,
  /** The container's init in the pid namespace of the caller; 0, or absent for a hook, when stopped. */
  pid: z.number().int().min(0).optional(),
  bundle: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
});

export type Status = z.infer<typeof Status>;
export type State = z.infer<typeof State>;
