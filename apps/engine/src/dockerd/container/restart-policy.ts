/**
 * Whether, and how soon, a container that has exited is started again (`--restart`).
 * Upstream: moby daemon/internal/restartmanager.
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';

export type RestartPolicy = HostConfig['RestartPolicy'];

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** Whoever has run for as long is not in a loop of crashes. */
const LONG_RUN_MS = 10_000;

export interface ExitFacts {
  readonly exitCode: number;
  /** By `docker stop` or `docker kill`, at any time since its last start. */
  readonly wasStopped: boolean;
  /** How often it has been started again. */
  readonly restartCount: number;
}

export const wantsRestart = (
  { Name, MaximumRetryCount }: RestartPolicy,
  { exitCode, wasStopped, restartCount }: ExitFacts,
): boolean => {
  switch (Name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !wasStopped;
    case 'on-failure':
      return exitCode !== 0 && (MaximumRetryCount === 0 || restartCount < MaximumRetryCount);
    default:
      return false;
  }
};

/** What is started when dockerd starts: failures of the past are not tried again. */
export const wantsStartAtBoot = (policy: RestartPolicy, wasStopped: boolean): boolean =>
  policy.Name === 'always' || (policy.Name === 'unless-stopped' && !wasStopped);

/** The pause doubles from exit to exit. */
export class BackOff {
  #delayMs = 0;

  next(ranMs: number): number {
    if (ranMs >= LONG_RUN_MS) this.#delayMs = 0;
    this.#delayMs =
      this.#delayMs === 0 ? FIRST_DELAY_MS : Math.min(LONGEST_DELAY_MS, this.#delayMs * 2);
    return this.#delayMs;
  }

  reset(): void {
    this.#delayMs = 0;
  }
}
