/** `docker container prune`: what has stopped goes. Upstream: moby daemon/prune.go. */
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { tellPrune } from './events.ts';
import { remove } from './remove.ts';

/** Go's durations: `1h30m`, `10s`, `2.5h`. https://pkg.go.dev/time#ParseDuration */
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

/** A moment (RFC 3339 or seconds since 1970), or how long ago. In seconds since 1970. */
export const parseUntil = (text: string, now = Date.now()): number => {
  if (DURATION.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
    const seconds = parts.reduce(
      (sum, [, count, unit = '']) => sum + Number(count) * (UNIT_SECONDS[unit] ?? 0),
      0,
    );
    return now / 1000 - seconds;
  }
  const moment = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isFinite(moment)) return moment;
  throw new EngineError('invalid_argument', `failed to parse value as time or duration: "${text}"`);
};

const hasLabel = ({ record }: Container, label: string): boolean => {
  const equals = label.indexOf('=');
  const labels = record.config.Labels;
  return equals < 0
    ? Object.hasOwn(labels, label)
    : labels[label.slice(0, equals)] === label.slice(equals + 1);
};

const isWanted = (filters: Filters): ((container: Container) => boolean) => {
  const tests: Record<string, (container: Container, values: readonly string[]) => boolean> = {
    label: (container, values) => values.every((label) => hasLabel(container, label)),
    'label!': (container, values) => !values.some((label) => hasLabel(container, label)),
    until: ({ record }, [text = '']) => Date.parse(record.created) / 1000 < parseUntil(text),
  };
  for (const [key, values] of Object.entries(filters)) {
    if (!Object.hasOwn(tests, key)) {
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    }
    if (key === 'until') parseUntil(values[0] ?? '');
  }
  return (container) =>
    Object.entries(filters).every(([key, values]) => tests[key]?.(container, values) ?? false);
};

export const pruneContainers = async (
  daemon: Daemon,
  filters: Filters,
): Promise<{ readonly ContainersDeleted: readonly string[]; readonly SpaceReclaimed: number }> => {
  const wanted = isWanted(filters);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of daemon.store.list()) {
    if (isRunning(container.state) || container.isRemoving || !wanted(container)) continue;
    const size = await daemon.images.snapshotUsageBytes(container.id).catch(() => 0);
    try {
      await remove(daemon, container, { isForced: false, removesVolumes: false });
    } catch (error) {
      // Started, or removed by somebody else, in the meantime.
      if (['conflict', 'not_found'].includes(kindOf(error))) continue;
      throw error;
    }
    deleted.push(container.id);
    reclaimed += size;
  }
  tellPrune(daemon, 'container', reclaimed);
  return { ContainersDeleted: deleted, SpaceReclaimed: reclaimed };
};
