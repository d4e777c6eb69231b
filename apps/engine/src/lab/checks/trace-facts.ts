/** Facts about one run, from its trace alone. */
import type { FactName } from '../../protocol/lesson/facts.ts';
import { actorsOf, namesOf } from '../../protocol/lesson/event-names.ts';
import type { Fact, Value } from '../../protocol/lesson/predicate.ts';
import type { ProcessEvent, TraceEvent } from '../../protocol/trace/event.ts';
import { HELD_EVENT } from '../../protocol/trace/gate.ts';
import { medianWork } from './work-facts.ts';

const byTime = (a: TraceEvent, b: TraceEvent): number => {
  const apart = BigInt(a.mono) - BigInt(b.mono);
  return apart < 0n ? -1 : apart > 0n ? 1 : 0;
};

/** By the clock, but no effect before its cause: who tells of a birth may get to it after the newborn has acted. */
const inHappenedOrder = (events: readonly TraceEvent[]): readonly TraceEvent[] => {
  const byId = new Map(events.map((event) => [event.id, event]));
  const waiting = new Set<string>();
  const ordered = new Set<TraceEvent>();
  const place = (event: TraceEvent): void => {
    if (ordered.has(event) || waiting.has(event.id)) return;
    waiting.add(event.id);
    const cause = event.cause === null ? undefined : byId.get(event.cause);
    if (cause) place(cause);
    ordered.add(event);
  };
  for (const event of events.toSorted(byTime)) place(event);
  return [...ordered];
};

/** `takes`: the same run, several times; all but measurements are facts about the last. */
export const traceFact = (
  name: FactName,
  { match, actor }: Pick<Fact, 'match' | 'actor'>,
  takes: readonly (readonly TraceEvent[])[],
): Value => {
  const events = takes.at(-1) ?? [];
  const named = (): readonly TraceEvent[] =>
    events.filter((event) => match !== undefined && namesOf(event).includes(match));
  switch (name) {
    case 'trace.actors':
      return actorsInOrder(events);
    case 'trace.actorCount':
      return actorsInOrder(events).length;
    case 'trace.has':
      return named().length > 0;
    case 'trace.count':
      return named().length;
    case 'trace.exitCode':
      return (
        processes(events, 'docker').find(({ change, exit }) => change === 'exit' && exit)?.exit
          ?.code ?? null
      );
    case 'trace.output':
      return outputOf(events);
    case 'trace.printed':
      return printedBy(events);
    case 'trace.pid':
      return pidOf(events, actor);
    case 'trace.startTime':
      return (
        processes(events, actor).find(({ process }) => process.startTime !== undefined)?.process
          .startTime ?? null
      );
    case 'trace.heldPid':
      return heldPid(events);
    case 'trace.lifeMs':
      return lifeMs(processes(events, actor));
    case 'trace.longest':
      return [...(medianWork(takes) ?? [])].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null;
    case 'trace.workMs':
      return workIn(takes, actor);
    default:
      return null;
  }
};

const workIn = (takes: readonly (readonly TraceEvent[])[], actor: string | undefined): Value => {
  const work = [...(medianWork(takes) ?? [])].find(([who]) => who === actor)?.[1];
  return work === undefined ? null : Math.round(work * 10) / 10;
};

const heldPid = (events: readonly TraceEvent[]): Value => {
  const held = events.find((event) => event.type === 'spanEvent' && event.name === HELD_EVENT);
  const pid = held && 'attributes' in held ? held.attributes['process.pid'] : null;
  return typeof pid === 'number' ? pid : null;
};

const actorsInOrder = (events: readonly TraceEvent[]): string[] => [
  ...new Set(inHappenedOrder(events).flatMap((event) => actorsOf(event))),
];

const processes = (
  events: readonly TraceEvent[],
  actor: string | undefined,
): readonly ProcessEvent[] =>
  events
    .filter((event) => event.type === 'process')
    .filter((event) => event.actor === actor)
    .toSorted(byTime);

/** A daemon is older than the trace: then it is whoever spoke. */
const pidOf = (events: readonly TraceEvent[], actor: string | undefined): Value =>
  processes(events, actor)[0]?.process.pid ??
  events.find(({ emitter }) => emitter.actor === actor)?.emitter.pid ??
  null;

/** Of the first process that was both born and seen to die. */
const lifeMs = (all: readonly ProcessEvent[]): Value => {
  for (const birth of all.filter(({ change }) => change === 'fork')) {
    const death = all.find(
      ({ change, process }) => change === 'exit' && process.pid === birth.process.pid,
    );
    if (death) return Number(BigInt(death.mono) - BigInt(birth.mono)) / 1e6;
  }
  return null;
};

/** A client whose output is not the container's: the lab tells what it wrote. */
const printedBy = (events: readonly TraceEvent[]): string =>
  events
    .filter((event) => event.type === 'spanEvent' && event.name === 'client stdout')
    .toSorted(byTime)
    .map((event) => ('attributes' in event ? event.attributes['engineroom.client.text'] : ''))
    .join('')
    .slice(0, OUTPUT_LIMIT);

const OUTPUT_LIMIT = 2048;
const outputOf = (events: readonly TraceEvent[]): string =>
  events
    .filter((event) => event.type === 'output')
    // Offsets count in one stream; what went into both is in the order in which it was told.
    .toSorted((a, b) => byTime(a, b) || a.offset - b.offset)
    .map(({ base64 }) => Buffer.from(base64, 'base64').toString())
    .join('')
    .slice(0, OUTPUT_LIMIT);
