/**
 * Who was at work, instant by instant, from the birth of the client to its end. Spans lie in one another as calls do,
 * so whoever began last is who is working; a program in the container works while it lives. Where nobody is, it is the
 * client's own time, or dockerd's as long as the client waits for it.
 */
import type { Actor, TraceEvent } from '../../protocol/trace/event.ts';

interface Stretch {
  readonly actor: Actor;
  readonly begin: bigint;
  readonly end: bigint;
  /** A request that is open for as long as something else goes on: it only waits. */
  readonly isWaiting: boolean;
}

const WAITING = /^POST \/containers\/\{id\}\/(?:wait|attach)$/;
/** A trace with more is no single docker run, and sorting it out would hold up the lab. */
const STRETCH_LIMIT = 2000;

/** Milliseconds by actor; null as long as the client has not ended. */
export const workOf = (events: readonly TraceEvent[]): ReadonlyMap<Actor, number> | null => {
  const client = lifeOf(events, 'docker', ['fork', 'exec']);
  if (!client) return null;
  const stretches = [...spansOf(events), ...programsOf(events)];
  if (stretches.length > STRETCH_LIMIT) return null;
  const inside = (time: bigint): boolean => time > client.begin && time < client.end;
  const edges = [
    ...new Set([
      client.begin,
      ...stretches.flatMap(({ begin, end }) => [begin, end]).filter(inside),
      client.end,
    ]),
  ].toSorted((a, b) => (a < b ? -1 : 1));
  const work = new Map<Actor, number>();
  for (const [index, begin] of edges.slice(0, -1).entries()) {
    const end = edges[index + 1] ?? begin;
    const open = stretches.filter((each) => each.begin <= begin && each.end >= end);
    const actor =
      latest(open.filter(({ isWaiting }) => !isWaiting))?.actor ?? latest(open)?.actor ?? 'docker';
    work.set(actor, (work.get(actor) ?? 0) + Number(end - begin) / 1e6);
  }
  return work;
};

/** The median of each actor over several runs of the same; null as long as one of them goes on. */
export const medianWork = (
  runs: readonly (readonly TraceEvent[])[],
): ReadonlyMap<Actor, number> | null => {
  const works = runs.flatMap((events) => workOf(events) ?? []);
  if (works.length === 0 || works.length < runs.length) return null;
  const actors = new Set(works.flatMap((work) => [...work.keys()]));
  return new Map(
    [...actors].map((actor) => [actor, medianOf(works.map((work) => work.get(actor) ?? 0))]),
  );
};

const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = low] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
};

const latest = (open: readonly Stretch[]): Stretch | undefined =>
  open.reduce<Stretch | undefined>(
    (last, each) => (last === undefined || each.begin >= last.begin ? each : last),
    undefined,
  );

const spansOf = (events: readonly TraceEvent[]): readonly Stretch[] => {
  const ends = new Map(
    events.flatMap((event) =>
      event.type === 'spanEnded' ? [[event.spanId, BigInt(event.mono)] as const] : [],
    ),
  );
  return events.flatMap((event) => {
    const end = event.type === 'spanStarted' ? ends.get(event.spanId) : undefined;
    // The lab's own span is the whole run, and no work.
    if (event.type !== 'spanStarted' || end === undefined || event.emitter.actor === 'lab')
      return [];
    const actor = event.name.startsWith('runc ') ? 'runc' : event.emitter.actor;
    return [{ actor, begin: BigInt(event.mono), end, isWaiting: WAITING.test(event.name) }];
  });
};

const programsOf = (events: readonly TraceEvent[]): readonly Stretch[] => {
  const life = lifeOf(events, 'container', ['exec']);
  return life ? [{ actor: 'container', ...life, isWaiting: false }] : [];
};

const lifeOf = (
  events: readonly TraceEvent[],
  actor: Actor,
  births: readonly string[],
): Pick<Stretch, 'begin' | 'end'> | null => {
  const told = events.filter((event) => event.type === 'process' && event.actor === actor);
  const at = (changes: readonly string[]): bigint | null => {
    const found = told.find((event) => event.type === 'process' && changes.includes(event.change));
    return found ? BigInt(found.mono) : null;
  };
  const [begin, end] = [at(births), at(['exit'])];
  return begin === null || end === null || end < begin ? null : { begin, end };
};
