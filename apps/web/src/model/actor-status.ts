/** How an actor is right now, in one word for its looks and a few for its node. Read off the machine, nothing else. */
import { t } from '../messages/catalogue.ts';
import type { StageActor } from './actors.ts';
import { gateWords } from './gates.ts';
import { nameOfProcess, type Machine, type ProcessView } from './machine.ts';
import { shortSummary } from './requests.ts';
import { swappedFor } from './swapped.ts';
import { durationWords } from './time-words.ts';

export type StatusKind = 'unborn' | 'ready' | 'active' | 'waiting' | 'blocked' | 'struck' | 'dead';

export interface ActorStatus {
  readonly kind: StatusKind;
  readonly process: ProcessView | null;
  readonly words: string;
}

export const statusOf = (machine: Machine, actor: StageActor): ActorStatus => {
  const status = ownStatusOf(machine, actor);
  return swappedFor(machine, actor) === null
    ? status
    : { ...status, words: t().status.fromOutside(status.words) };
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
  if (signal) return { kind: 'struck', process, words: t().status.gets(signal.summary) };
  const held = Object.values(machine.held).find(
    ({ pid, subjectPid }) => pid === process.pid || subjectPid === process.pid,
  );
  if (held) return { kind: 'blocked', process, words: t().status.held(gateWords(held.gate)) };
  if (actor === 'container') return statusOfContainer(machine, process);
  const incoming = last(
    Object.values(machine.inFlight),
    ({ to }) => to.actor === actor && isOf(to.pid, process),
  );
  if (incoming) {
    const { gets, receives } = t().status;
    const says = incoming.direction === 'response' ? gets : receives;
    return { kind: 'active', process, words: says(shortSummary(incoming.summary)) };
  }
  const call = last(
    Object.values(machine.calls),
    ({ from, fromPid }) => from === actor && isOf(fromPid, process),
  );
  if (call) return { kind: 'waiting', process, words: t().status.waitsFor(call.to) };
  const span = last(
    Object.values(machine.openSpans),
    (open) => open.actor === actor && open.kind !== 'client' && isOf(open.pid, process),
  );
  if (span) return { kind: 'active', process, words: shortSummary(span.name) };
  if (actor === 'runc')
    return { kind: 'active', process, words: process.argv[1] ?? t().status.works };
  return { kind: 'ready', process, words: isClient(actor) ? t().status.runs : t().status.idle };
};

/** Of several shims each has its own work; who is not known by its pid is taken at its word. */
const isOf = (pid: number | null, process: ProcessView): boolean =>
  pid === null || pid === process.pid;

const isClient = (actor: StageActor): boolean => actor === 'docker' || actor === 'client';

/** The daemons were there before the run; the others are born in it. */
function statusOfUnseen(machine: Machine, actor: StageActor): ActorStatus {
  // Ours tells its steps below whatever shim; another is known to its shim alone.
  if (actor === 'runc' && swappedFor(machine, 'shim') !== null)
    return { kind: 'unborn', process: null, words: t().status.notOurs };
  if (machine.current.client !== undefined && (actor === 'docker' || actor === 'dockerd'))
    return { kind: 'unborn', process: null, words: t().status.notInPath };
  const isDaemon = actor === 'dockerd' || actor === 'containerd';
  return isDaemon
    ? { kind: 'ready', process: null, words: t().status.idle }
    : { kind: 'unborn', process: null, words: t().status.notStarted };
}

function statusOfKernel(machine: Machine): ActorStatus {
  const calls = Object.values(machine.kernel).reduce(
    (sum, { count, failed }) => sum + count + failed,
    0,
  );
  const words = calls === 0 ? t().status.notAsked : t().status.calls(calls);
  return { kind: 'ready', process: null, words };
}

function statusOfContainer(machine: Machine, process: ProcessView): ActorStatus {
  if (process.execAt !== null)
    return { kind: 'active', process, words: t().status.runsProgram(nameOfProcess(process)) };
  const builder = process.formerParents.at(-1) ?? process.ppid;
  const left = builder === null ? null : (machine.processes[String(builder)]?.exit ?? null);
  if (left && (left.code ?? 0) !== 0) return { kind: 'ready', process, words: t().status.notBuilt };
  return left
    ? { kind: 'blocked', process, words: t().status.waitsOnFifo }
    : { kind: 'active', process, words: t().status.isBuilt };
}

/** The container itself is older than this run; only the process that joined it is told of. */
function statusOfJoined(process: ProcessView): ActorStatus {
  if (process.exit)
    return { kind: 'ready', process, words: t().status.joinedEnded(deathWords(process)) };
  return process.execAt === null
    ? { kind: 'active', process, words: t().status.joins }
    : { kind: 'active', process, words: t().status.runsAlso(nameOfProcess(process)) };
}

function deathWords({ exit, bornAt }: ProcessView): string {
  if (!exit) return '';
  const { status } = t();
  const how = exit.signal ?? (exit.code === null ? status.ended : status.exit(exit.code));
  return bornAt === null ? how : status.after(how, durationWords(exit.at - bornAt));
}

const last = <T>(items: readonly T[], is: (item: T) => boolean): T | undefined =>
  items.findLast(is);
