/**
 * `runc events [--stats] [--interval 5s] ID`: counters of the container's cgroups as lines of JSON, again and again until
 * it stops, and a line for each time that the kernel killed for want of memory. Upstream: runc events.go.
 */
import { resolve } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { oomKills, readStats, type Stats } from '../libcontainer/cgroups/stats.ts';
import { type ContainerState, readState } from '../libcontainer/state-file.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseId } from './command-line.ts';
import { isSet, type Options, textOf } from './flags.ts';
import type { Verb } from './verb.ts';

const OPTIONS = {
  interval: { type: 'string', default: '5s' },
  stats: { type: 'boolean' },
} as const satisfies Options;

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's time.ParseDuration: `1m30s`, `100ms`. */
const millisecondsOf = (word: string): number => {
  const parts = [...word.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== word)
    throw new EngineError(
      'invalid_argument',
      `invalid value ${JSON.stringify(word)} for flag -interval: parse error`,
    );
  const sum = parts.reduce((ms, [, n, unit]) => ms + Number(n) * (UNITS_MS[unit ?? ''] ?? 0), 0);
  if (sum <= 0)
    throw new EngineError('invalid_argument', 'duration interval must be greater than 0');
  return sum;
};

export const events: Verb = async ({ native, global, rest }) => {
  const flags = parseId('events', rest, OPTIONS);
  const interval = millisecondsOf(textOf(flags, 'interval') ?? '');
  const container = readState(resolve(global.root), flags.id);
  if (container.status === 'stopped')
    throw new EngineError('failed_precondition', `container with id ${flags.id} is not running`);
  if (isSet(flags, 'stats')) {
    tell({ type: 'stats', id: flags.id, data: readStats(container.cgroupPaths) });
    return;
  }
  await tellUntilStopped(native, container, interval);
};

type Line = Readonly<Record<string, string | Stats>>;

/** JSON knows numbers of any length, JSON.stringify does not: they pass through it as strings. */
const tell = (line: Line): void => {
  const json = JSON.stringify(line, (_, value: unknown) =>
    typeof value === 'bigint' ? `<${value}>` : value,
  );
  process.stdout.write(`${json.replaceAll(/"<(-?\d+)>"/g, '$1')}\n`);
};

/** OOM kills are counted in a file; it is asked at least this often. Version 1 would tell by eventfd(2) only. */
const LONGEST_SILENCE_MS = 500;

const tellUntilStopped = (
  native: Native,
  { id, pid, cgroupPaths }: ContainerState,
  interval: number,
): Promise<void> =>
  new Promise((resolveStopped) => {
    let kills = oomKills(cgroupPaths);
    const tellKills = (): void => {
      for (const now = oomKills(cgroupPaths); kills < now; kills += 1n) tell({ type: 'oom', id });
    };
    const watch = setInterval(tellKills, Math.min(interval, LONGEST_SILENCE_MS));
    const stats = setInterval(
      () => tell({ type: 'stats', id, data: readStats(cgroupPaths) }),
      interval,
    );
    const pidfd = native.pidfdOpen(pid);
    const stop = native.watchReadable(pidfd, () => {
      stop();
      native.close(pidfd);
      tellKills();
      clearInterval(watch);
      clearInterval(stats);
      resolveStopped();
    });
  });
