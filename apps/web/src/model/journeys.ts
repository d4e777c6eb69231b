/**
 * What travels on the stage: each message from its sender to its receiver, each system call to the kernel, each
 * write of the container to the shim. A journey begins when the event says so and lasts until its effect is seen,
 * within what an eye can follow.
 */
import type {
  Level,
  ProcessEvent,
  SequencedEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import { labelOf, type StageActor } from './actors.ts';
import { languageStore, t } from '../messages/catalogue.ts';
import { containerOf } from './apply-container.ts';
import { isShownAt } from './levels.ts';
import { shortSummary } from './requests.ts';
import type { RunModel } from './run-model.ts';

export interface Journey {
  readonly id: string;
  readonly from: StageActor;
  readonly to: StageActor;
  /** Whose shim, runc or init takes part in it. */
  readonly containerId: string | null;
  readonly label: string;
  readonly kind: 'http' | 'grpc' | 'ttrpc' | 'exec' | 'fifo' | 'signal' | 'syscall' | 'output';
  readonly direction: 'request' | 'response' | 'event';
  /** Learning time. */
  readonly departs: number;
  readonly lasts: number;
}

/** More than two things that move at once cannot be followed. */
const AT_ONCE = 2;

/** The journeys under way at a moment of learning time, latest last. */
export const journeysAt = (model: RunModel, level: Level, realNs: number): readonly Journey[] => {
  const warp = model.warp(level);
  const now = warp.toLearn(realNs);
  const steps = model.steps(level);
  const journeys: Journey[] = [];
  for (let step = steps.stepAfter(model.order.countAt(realNs)); step > 0; step -= 1) {
    const placed = model.order.placed[steps.keyOf(step) ?? -1];
    if (!placed || now - warp.toLearn(placed.at) > warp.travelMs.most) break;
    const journey = journeyOf(model, placed.event, placed.at, level);
    if (journey && now < journey.departs + journey.lasts) journeys.unshift(journey);
    if (journeys.length === AT_ONCE) break;
  }
  return journeys;
};

/** Computed once for each event and growth of the run: the stage asks on every frame. */
const known = new WeakMap<
  RunModel,
  { version: number; readonly journeys: Map<string, Journey | null> }
>();

function journeyOf(
  model: RunModel,
  event: SequencedEvent,
  at: number,
  level: Level,
): Journey | null {
  const cache = known.get(model) ?? { version: -1, journeys: new Map<string, Journey | null>() };
  if (cache.version !== model.version) cache.journeys.clear();
  cache.version = model.version;
  known.set(model, cache);
  const key = `${languageStore.getState().language} ${level} ${event.id}`;
  let journey = cache.journeys.get(key);
  if (journey === undefined) {
    journey = plan(model, event, at, level);
    cache.journeys.set(key, journey);
  }
  return journey;
}

function plan(model: RunModel, event: SequencedEvent, at: number, level: Level): Journey | null {
  if (!isShownAt(event, level)) return null;
  const route = event.type === 'process' ? birthRoute(model, event) : routeOf(event);
  if (!route) return null;
  const warp = model.warp(level);
  const departs = warp.toLearn(at);
  const arrival = model.effectsOf(event.id)[0]?.at;
  const { least, most } = warp.travelMs;
  const lasted = arrival === undefined ? most : warp.toLearn(arrival) - departs;
  const after = model.machineAt((model.order.indexOf(event.id) ?? 0) + 1);
  return {
    id: event.id,
    departs,
    lasts: Math.max(least, Math.min(most, lasted)),
    containerId: containerOf(after, event),
    ...route,
  };
}

/** A process sets out from the one that made it: its parent where that stands on the stage, else who tells of it. */
function birthRoute(
  model: RunModel,
  { id, change, actor, process, emitter }: ProcessEvent,
): Route | null {
  if (change !== 'fork' && change !== 'claimed') return null;
  const machine = model.machineAt((model.order.indexOf(id) ?? 0) + 1);
  const parent = machine.processes[String(process.ppid ?? '')]?.actor ?? emitter.actor;
  if (parent === 'lab' || actor === 'lab' || parent === actor) return null;
  const label = change === 'claimed' ? t().stage.claims(process.pid) : t().stage.born(process.pid);
  return { from: parent, to: actor, label, kind: 'exec', direction: 'event' };
}

type Route = Pick<Journey, 'from' | 'to' | 'label' | 'kind' | 'direction'>;

function routeOf(event: SequencedEvent): Route | null {
  if (event.type === 'message') {
    const { from, to, summary, protocol, direction } = event;
    if (from.actor === 'lab' || to.actor === 'lab' || from.actor === to.actor) return null;
    return {
      from: from.actor,
      to: to.actor,
      label: shortSummary(summary),
      kind: protocol,
      direction,
    };
  }
  if (event.type === 'syscall') {
    const { caller, name } = event;
    if (caller.actor === 'lab' || caller.actor === 'kernel') return null;
    return { from: caller.actor, to: 'kernel', label: name, kind: 'syscall', direction: 'request' };
  }
  if (event.type === 'output') {
    const bytes = `${event.sizeBytes} B ${event.stream}`;
    return { from: 'container', to: 'shim', label: bytes, kind: 'output', direction: 'event' };
  }
  return null;
}

/** `docker CLI to dockerd: POST /containers/create`. */
export const journeyWords = ({ from, to, label }: Journey): string =>
  t().tell.journey(labelOf(from), labelOf(to), label);
