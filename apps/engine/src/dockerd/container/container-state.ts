/**
 * What a container can be, and what may follow. Upstream: moby daemon/container/state.go.
 */
import type { ContainerStatus } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';

/** The transition table. A container whose first start failed is still `created`, with 126, 127 or 128 as exit code. */
const ALLOWED: Readonly<Record<ContainerStatus, readonly ContainerStatus[]>> = {
  created: ['created', 'running', 'exited', 'removing'],
  running: ['paused', 'exited', 'restarting'],
  paused: ['running', 'exited', 'restarting'],
  restarting: ['running', 'exited', 'removing'],
  exited: ['running', 'exited', 'removing'],
  removing: ['dead'],
  dead: ['removing'],
};

export interface ContainerState {
  readonly status: ContainerStatus;
  /** 0 when it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  /** Why the last start failed, or empty. */
  readonly error: string;
  readonly isOomKilled: boolean;
  /** RFC 3339; ZERO_TIME for never. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

export const ZERO_TIME = '0001-01-01T00:00:00Z';

export const INITIAL_STATE: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  isOomKilled: false,
  startedAt: ZERO_TIME,
  finishedAt: ZERO_TIME,
};

export const canBecome = (from: ContainerStatus, to: ContainerStatus): boolean =>
  ALLOWED[from].includes(to);

/** The next state. An impossible step is a mistake of ours, not of the user. */
export const nextState = (
  state: ContainerState,
  to: ContainerStatus,
  change: Partial<Omit<ContainerState, 'status'>> = {},
): ContainerState => {
  if (!canBecome(state.status, to)) {
    throw new EngineError('internal', `a container cannot go from ${state.status} to ${to}`);
  }
  return { ...state, ...change, status: to };
};

export const isRunning = ({ status }: ContainerState): boolean =>
  status === 'running' || status === 'paused' || status === 'restarting';

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 24 * 3600 * 2, 'years'],
  [30 * 24 * 3600 * 2, 'months'],
  [7 * 24 * 3600 * 2, 'weeks'],
  [24 * 3600 * 2, 'days'],
  [3600 * 2, 'hours'],
];
const ONE_UNIT: Readonly<Record<string, number>> = {
  years: 365 * 24 * 3600,
  months: 30 * 24 * 3600,
  weeks: 7 * 24 * 3600,
  days: 24 * 3600,
  hours: 3600,
};

/** `5 minutes`, `About an hour`. Upstream: github.com/docker/go-units HumanDuration. */
export const humanDuration = (seconds: number): string => {
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (Math.round(seconds / 3600) === 1) return 'About an hour';
  const [, name] = UNITS.find(([atLeast]) => seconds >= atLeast) ?? [0, 'hours'];
  return `${Math.floor(seconds / (ONE_UNIT[name] ?? 3600))} ${name}`;
};

const HEALTH_WORDS: Readonly<Record<string, string>> = { starting: 'health: starting' };

/** The STATUS column of `docker ps`. */
export const describeState = (
  state: ContainerState,
  now: number = Date.now(),
  health: string | null = null,
): string => {
  const since = (time: string): string =>
    humanDuration(Math.max(0, (now - Date.parse(time)) / 1000));
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}${health === null ? '' : ` (${HEALTH_WORDS[health] ?? health})`}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
};
