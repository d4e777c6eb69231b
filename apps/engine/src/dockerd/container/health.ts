/**
 * How a container says that it is well: the results of its health check, and what they add up to.
 * Upstream: moby daemon/health.go, daemon/container/health.go.
 */
import type { Healthcheck } from '../../protocol/docker-engine-api/containers.ts';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export interface ProbeResult {
  /** RFC 3339. */
  readonly Start: string;
  readonly End: string;
  /** -1: it was not through in time, or could not be run. */
  readonly ExitCode: number;
  readonly Output: string;
}

const NANOSECONDS_A_MS = 1e6;
const KEPT_RESULTS = 5;

/** The answers to what was not said, in milliseconds. */
export interface HealthPlan {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

/** Null where there is nothing to check. */
export const healthPlan = (check: Healthcheck | undefined): HealthPlan | null => {
  const [kind = 'NONE', ...words] = check?.Test ?? [];
  if (!check || kind === 'NONE') return null;
  const ms = (nanoseconds: number, otherwise: number): number =>
    nanoseconds === 0 ? otherwise : nanoseconds / NANOSECONDS_A_MS;
  return {
    command: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words,
    intervalMs: ms(check.Interval, 30_000),
    timeoutMs: ms(check.Timeout, 30_000),
    startPeriodMs: ms(check.StartPeriod, 0),
    startIntervalMs: ms(check.StartInterval, 5000),
    retries: check.Retries || 3,
  };
};

export class Health {
  status: HealthStatus = 'starting';
  failingStreak = 0;
  readonly #log: ProbeResult[] = [];
  readonly #plan: HealthPlan;
  readonly #startedAt: number;

  constructor(plan: HealthPlan, startedAt: number) {
    this.#plan = plan;
    this.#startedAt = startedAt;
  }

  /** Until the next probe. */
  pauseMs(now = Date.now()): number {
    const { intervalMs, startIntervalMs } = this.#plan;
    return this.status === 'starting' && this.#isStartPeriod(now) ? startIntervalMs : intervalMs;
  }

  /** True when the result has changed the status. */
  take(result: ProbeResult): boolean {
    this.#log.push(result);
    if (this.#log.length > KEPT_RESULTS) this.#log.shift();
    const before = this.status;
    if (result.ExitCode === 0) {
      this.failingStreak = 0;
      this.status = 'healthy';
    } else if (before !== 'starting' || !this.#isStartPeriod(Date.parse(result.Start))) {
      // While it starts, and is given time for it, failures do not count.
      this.failingStreak += 1;
      if (this.failingStreak >= this.#plan.retries) this.status = 'unhealthy';
    }
    return this.status !== before;
  }

  /** As `docker inspect` has it. */
  get answer() {
    return { Status: this.status, FailingStreak: this.failingStreak, Log: [...this.#log] };
  }

  #isStartPeriod(at: number): boolean {
    return at - this.#startedAt < this.#plan.startPeriodMs;
  }
}
