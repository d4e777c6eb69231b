/** How an actor is right now, in one word for its looks and a few for its node. Read off the machine, nothing else. */
import { inSentence, type StageActor } from './actors.ts';
import { gateWords } from './gates.ts';
import type { Machine, ProcessView } from './machine.ts';
import { shortSummary } from './requests.ts';
import { swappedFor } from './swapped.ts';
import { durationWords } from './time-words.ts';

export type StatusKind = 'unborn' | 'ready' | 'active' | 'waiting' | 'blocked' | 'struck' | 'dead';

export interface ActorStatus {
  readonly kind: StatusKind;
  readonly process: ProcessView | null;
  readonly words: string;
}

const bare = (actor: StageActor): string => inSentence(actor).replace(/^the /, '');

export const statusOf = (machine: Machine, actor: StageActor): ActorStatus => {
  const status = ownStatusOf(machine, actor);
  return swappedFor(machine, actor) === null
    ? status
    : { ...status, words: `seen from outside: ${status.words}` };
};

const ownStatusOf = (machine: Machine, actor: StageActor): ActorStatus => {
  if (actor === 'kernel') return statusOfKernel(machine);
  const process = machine.processes[String(machine.current[actor] ?? '')] ?? null;
  if (!process) return statusOfUnseen(machine, actor);
  if (process.joined) return statusOfJoined(process);
  if (process.exit) return { kind: 'dead', process, words: deathWords(process) };
  const signal = last(
    Object.values(machine.inFlight),
    ({ to, protocol }) => protocol === 'signal' && to.pid === process.pid,
  );
  if (signal) return { kind: 'struck', process, words: `gets ${signal.summary}` };
  const held = Object.values(machine.held).find(
    ({ pid, subjectPid }) => pid === process.pid || subjectPid === process.pid,
  );
  if (held) return { kind: 'blocked', process, words: `held: ${gateWords(held.gate)}` };
  if (actor === 'container') return statusOfContainer(machine, process);
  const incoming = last(Object.values(machine.inFlight), ({ to }) => to.actor === actor);
  if (incoming) {
    const verb = incoming.direction === 'response' ? 'gets' : 'receives';
    return { kind: 'active', process, words: `${verb} ${shortSummary(incoming.summary)}` };
  }
  const call = last(Object.values(machine.calls), ({ from }) => from === actor);
  if (call) return { kind: 'waiting', process, words: `waits for ${bare(call.to as StageActor)}` };
  const span = last(
    Object.values(machine.openSpans),
    (open) => open.actor === actor && open.kind !== 'client',
  );
  if (span) return { kind: 'active', process, words: shortSummary(span.name) };
  if (actor === 'runc') return { kind: 'active', process, words: process.argv[1] ?? 'works' };
  return {
    kind: 'ready',
    process,
    words: actor === 'docker' || actor === 'client' ? 'runs' : 'idle',
  };
};

/** The daemons were there before the run; the others are born in it. */
function statusOfUnseen(machine: Machine, actor: StageActor): ActorStatus {
  // Ours tells its steps below whatever shim; another is known to its shim alone.
  if (actor === 'runc' && swappedFor(machine, 'shim') !== null)
    return { kind: 'unborn', process: null, words: 'not seen: the shim is not ours' };
  if (machine.current.client !== undefined && (actor === 'docker' || actor === 'dockerd'))
    return { kind: 'unborn', process: null, words: 'not in the path' };
  const isDaemon = actor === 'dockerd' || actor === 'containerd';
  return isDaemon
    ? { kind: 'ready', process: null, words: 'idle' }
    : { kind: 'unborn', process: null, words: 'not started' };
}

function statusOfKernel(machine: Machine): ActorStatus {
  const calls = Object.values(machine.kernel).reduce(
    (sum, { count, failed }) => sum + count + failed,
    0,
  );
  const words = calls === 0 ? 'not asked yet' : `${calls} system call${calls === 1 ? '' : 's'}`;
  return { kind: 'ready', process: null, words };
}

function statusOfContainer(machine: Machine, process: ProcessView): ActorStatus {
  if (process.execAt !== null)
    return { kind: 'active', process, words: `runs ${process.argv.join(' ') || process.name}` };
  const builder = process.formerParents.at(-1) ?? process.ppid;
  const left = builder === null ? null : (machine.processes[String(builder)]?.exit ?? null);
  if (left && (left.code ?? 0) !== 0)
    return { kind: 'ready', process, words: 'runc failed to build it' };
  return left
    ? { kind: 'blocked', process, words: 'waits on exec.fifo' }
    : { kind: 'active', process, words: 'is being built' };
}

/** The container itself is older than this run; only the process that joined it is told of. */
function statusOfJoined(process: ProcessView): ActorStatus {
  if (process.exit)
    return { kind: 'ready', process, words: `who joined has ended: ${deathWords(process)}` };
  const program = process.argv.join(' ') || process.name;
  return process.execAt === null
    ? { kind: 'active', process, words: 'a process joins it' }
    : { kind: 'active', process, words: `runs also ${program}` };
}

function deathWords({ exit, bornAt }: ProcessView): string {
  if (!exit) return '';
  const how = exit.signal ?? (exit.code === null ? 'ended' : `exit ${exit.code}`);
  return bornAt === null ? how : `${how} after ${durationWords(exit.at - bornAt)}`;
}

const last = <T>(items: readonly T[], is: (item: T) => boolean): T | undefined =>
  items.findLast(is);
