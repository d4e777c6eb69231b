/**
 * After a fault: who survived, who did not, and why, read off the trace and nothing else. Who was there when the signal
 * was sent is compared with who is there at the playhead; "survived" is said only of what the lab saw in /proc again.
 */
import { inSentence } from './actors.ts';
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
  const { pid, actor } = process;
  const state = now.processes[String(pid)] ?? process;
  const sighting = now.sightings[String(pid)];
  const heir = now.processes[String(now.current[actor] ?? '')];
  const base = { actor, pid, eventId: state.exit ? state.toldBy : (sighting?.eventId ?? null) };
  const isStruck = pid === fault.pid;
  if (state.exit && heir && heir.pid !== pid && heir.exit === null && isDaemon(actor)) {
    const after =
      heir.bornAt === null ? '' : ` after ${durationWords(heir.bornAt - state.exit.at)}`;
    return {
      ...base,
      fate: 'replaced',
      words: `died, and is back as pid ${heir.pid}${after}`,
      why: 'it keeps nothing that a container needs, so whoever supervises it may start another',
    };
  }
  if (state.exit) {
    const how =
      state.exit.signal ?? (state.exit.code === null ? 'seen gone' : `exit ${state.exit.code}`);
    return { ...base, fate: 'died', words: `died: ${how}`, why: whyDead(process, fault) };
  }
  if (sighting && !sighting.isThere)
    return { ...base, fate: 'died', words: 'is gone', why: whyDead(process, fault) };
  if (sighting) {
    return {
      ...base,
      fate: 'survived',
      words: `same process: pid ${pid}, started at tick ${sighting.startTime}`,
      why: whyAlive(process, sighting, now),
    };
  }
  if (isStruck)
    return { ...base, fate: 'struck', words: `gets ${fault.signal}`, why: 'the lab sent it' };
  const sign = signOfLife(model, pid, fault.n + 1, n);
  if (sign !== null)
    return {
      ...base,
      eventId: sign,
      fate: 'survived',
      words: 'goes on: it has told of its work since',
      why: `the signal went to ${inSentence(fault.actor)} alone`,
    };
  return {
    ...base,
    fate: 'unseen',
    words: 'no news of its death',
    why: 'the trace does not speak of it after the signal',
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
  if (pid === hitPid) return `the lab sent it ${signal}`;
  if (actor === 'docker' || actor === 'client') return `it was connected to ${inSentence(hit)}`;
  if (actor === 'container' && hit === 'dockerd')
    return 'a dockerd that stops in good order stops its containers, unless live-restore is on';
  if (actor === 'container' && hit === 'shim')
    return 'containerd kills what a dead shim leaves behind: nobody would reap it';
  if (actor === 'shim') return 'its container has ended, so there is nothing left to watch';
  return `it did not outlive ${inSentence(hit)}`;
}

function whyAlive(
  { actor, containerId }: ProcessView,
  { ppid }: Sighting,
  { processes, adopted }: Machine,
): string {
  if (isDaemon(actor)) return 'the signal went to another process';
  const parent = ppid === null ? undefined : processes[String(ppid)];
  const again =
    containerId !== null && adopted[containerId] !== undefined
      ? '; the new dockerd has found it again'
      : '';
  const whose = parent
    ? `${inSentence(parent.actor)}, pid ${ppid}`
    : `pid ${ppid}, which is no daemon`;
  return actor === 'shim'
    ? `its parent is ${whose}${again}`
    : `its parent is ${whose}, and that holds its output and its exit code${again}`;
}
