/** What the page may break: a real signal to a real process of this engine. `POST /api/faults`. */

export const FAULTS = [
  'kill-dockerd',
  'kill-containerd',
  'kill-shim',
  'kill-container',
  'stop-dockerd',
  'stop-dockerd-live-restore',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultRequest {
  readonly fault: Fault;
  /** The 64 hex digits; which shim or container is meant. */
  readonly container?: string;
}

export interface FaultAccepted {
  /** The traces that tell of it: one for each container that it concerns, else one of its own. */
  readonly traceIds: readonly string[];
  /** The signal in those traces. */
  readonly eventId: string;
  readonly pid: number;
  readonly signal: 'SIGKILL' | 'SIGTERM';
}
