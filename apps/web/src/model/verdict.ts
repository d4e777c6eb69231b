/**
 * After a fault: who survived, who did not, and why, read off the trace and nothing else. Who was there when the signal
 * was sent is compared with who is there at the playhead; "survived" is said only of what the lab saw in /proc again.
 */
import { t } from '../messages/catalogue.ts';
import type { FaultView, Machine, ProcessView, Sighting } from './machine.ts';
import type { RunModel } from './run-model.ts';
import { durationWords } from './time-words.ts';

export type Fate = 'struck' | 'died' | 'replaced' | 'survived' | 'unseen';

export interface VerdictLine {
  readonly actor: ProcessView['actor'];
  readonly pid: number;
  readonly fate: Fate;
  readonly words: string;
  readonly why: string;
  /** The event that says so. */
  readonly eventId: string | null;
}

export interface Verdict {
  readonly fault: FaultView;
  readonly lines: readonly VerdictLine[];
}

const CAST = ['docker', 'client', 'dockerd', 'containerd', 'shim', 'container'] as const;

/** Null as long as nothing was broken. */
export const verdictAt = (model: RunModel, n: number): Verdict | null => {
  const now = model.machineAt(n);
  const { fault } = now;
  if (!fault) return null;
  const before = model.machineAt(fault.n);
  const witnesses = Object.values(before.processes).filter(
    (process) => process.exit === null && CAST.some((actor) => actor === process.actor),
  );
  const lines = witnesses
    .filter((process) => isOfInterest(process, fault, before, now))
    .map((process) => lineOf(process, { model, fault, now, n }));
  const rank = (line: VerdictLine): number => CAST.indexOf(line.actor as (typeof CAST)[number]);
  return { fault, lines: lines.sort((a, b) => rank(a) - rank(b)) };
};

/** Of a container the first process: those that `docker exec` added come and go. */
function isOfInterest(
  { pid, actor }: ProcessView,
  fault: FaultView,
  before: Machine,
  now: Machine,
): boolean {
  return (
    pid === fault.pid || now.sightings[String(pid)] !== undefined || before.current[actor] === pid
  );
}

interface Scene {
  readonly model: RunModel;
  readonly fault: FaultView;
  readonly now: Machine;
  readonly n: number;
}

function lineOf(process: ProcessView, { model, fault, now, n }: Scene): VerdictLine {
  const words = t().fate;
  const { pid, actor } = process;
  const state = now.processes[String(pid)] ?? process;
  const sighting = now.sightings[String(pid)];
  const heir = now.processes[String(now.current[actor] ?? '')];
  const base = { actor, pid, eventId: state.exit ? state.toldBy : (sighting?.eventId ?? null) };
  const isStruck = pid === fault.pid;
  if (state.exit && heir && heir.pid !== pid && heir.exit === null && isDaemon(actor)) {
    const after = heir.bornAt === null ? null : durationWords(heir.bornAt - state.exit.at);
    return {
      ...base,
      fate: 'replaced',
      words: words.replaced(heir.pid, after),
      why: words.whyReplaced,
    };
  }
  if (state.exit) {
    const how =
      state.exit.signal ??
      (state.exit.code === null ? words.seenGone : t().status.exit(state.exit.code));
    return { ...base, fate: 'died', words: words.died(how), why: whyDead(process, fault) };
  }
  if (sighting && !sighting.isThere)
    return { ...base, fate: 'died', words: words.gone, why: whyDead(process, fault) };
  if (sighting) {
    return {
      ...base,
      fate: 'survived',
      words: words.same(pid, sighting.startTime),
      why: whyAlive(process, sighting, now),
    };
  }
  if (isStruck)
    return { ...base, fate: 'struck', words: words.gets(fault.signal), why: words.theLab };
  const sign = signOfLife(model, pid, fault.n + 1, n);
  if (sign !== null)
    return {
      ...base,
      eventId: sign,
      fate: 'survived',
      words: words.goesOn,
      why: words.alone(fault.actor),
    };
  return {
    ...base,
    fate: 'unseen',
    words: words.noNews,
    why: words.silent,
  };
}

const LOOKED_BACK = 2_000;

/** The latest event that the process itself told after the signal. */
function signOfLife(model: RunModel, pid: number, from: number, to: number): string | null {
  const { placed } = model.order;
  for (let index = to - 1; index >= Math.max(from, to - LOOKED_BACK); index -= 1) {
    const event = placed[index]?.event;
    if (event?.emitter.pid === pid) return event.id;
  }
  return null;
}

const isDaemon = (actor: ProcessView['actor']): boolean =>
  actor === 'dockerd' || actor === 'containerd';

function whyDead(
  { actor, pid }: ProcessView,
  { actor: hit, pid: hitPid, signal }: FaultView,
): string {
  const words = t().fate;
  if (pid === hitPid) return words.labSent(signal);
  if (actor === 'docker' || actor === 'client') return words.connected(hit);
  if (actor === 'container' && hit === 'dockerd') return words.goodOrder;
  if (actor === 'container' && hit === 'shim') return words.orphan;
  if (actor === 'shim') return words.noWatch;
  return words.outlive(hit);
}

function whyAlive(
  { actor, containerId }: ProcessView,
  { ppid }: Sighting,
  { processes, adopted }: Machine,
): string {
  if (isDaemon(actor)) return t().fate.another;
  const parent = ppid === null ? undefined : processes[String(ppid)];
  const isAdopted = containerId !== null && adopted[containerId] !== undefined;
  return t().fate.parent(parent?.actor ?? null, ppid, actor !== 'shim', isAdopted);
}
