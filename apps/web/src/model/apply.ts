/** One event more: the machine before it becomes the machine after it. One small function for each kind of event. */
import type {
  Actor,
  Message,
  OutputEvent,
  ProcessEvent,
  SequencedEvent,
  SpanEnded,
  SpanEvent,
  SpanStarted,
} from '@engine-room/engine/protocol/trace/event.ts';
import { HELD_EVENT, RELEASED_EVENT } from '@engine-room/engine/protocol/trace/gate.ts';
import { withContainer } from './apply-container.ts';
import { afterCall } from './apply-kernel.ts';
import { piled } from './layer-pile.ts';
import {
  writerOf,
  type HeldView,
  type Machine,
  type ProcessView,
  type Sighting,
} from './machine.ts';
import { namespaceInodes } from './namespaces.ts';
import type { Placed } from './order.ts';

const LATEST_KEPT = 12;
const IN_FLIGHT_KEPT = 64;

export const apply = (machine: Machine, { event, at }: Placed): Machine => {
  const landed = land(machine, event);
  const sighted = sight(landed, event.emitter.actor, event.emitter.pid, event.id);
  const next = withContainer(applyKind(sighted, event, at), event);
  return { ...next, layers: piled(machine.layers, event), n: machine.n + 1, at };
};

function applyKind(machine: Machine, event: SequencedEvent, at: number): Machine {
  switch (event.type) {
    case 'spanStarted':
      return startSpan(machine, event);
    case 'spanEnded':
      return endSpan(machine, event);
    case 'message':
      return send(strike(machine, event, at), event);
    case 'process':
      return changeProcess(machine, event, at);
    case 'syscall':
      return afterCall(sight(machine, event.caller.actor, event.caller.pid, event.id), event);
    case 'output':
      return write(machine, event);
    case 'dropped':
      return { ...machine, dropped: machine.dropped + event.count };
    case 'spanEvent':
      return hold(takeNote(print(machine, event), event, at), event);
  }
}

function startSpan(machine: Machine, { spanId, emitter, name, kind }: SpanStarted): Machine {
  const span = { spanId, actor: emitter.actor, pid: emitter.pid, name, kind };
  return { ...machine, openSpans: { ...machine.openSpans, [spanId]: span } };
}

function endSpan(machine: Machine, { spanId }: SpanEnded): Machine {
  return {
    ...machine,
    openSpans: without(machine.openSpans, spanId),
    calls: without(machine.calls, spanId),
  };
}

function send(machine: Machine, message: Message): Machine {
  const { id, spanId, direction, from, to, summary } = message;
  let next = machine;
  if (from.pid !== null) next = sight(next, from.actor, from.pid, id);
  if (to.pid !== null) next = sight(next, to.actor, to.pid, id);
  const inFlight = { ...next.inFlight, [id]: message };
  const [oldest] = Object.keys(inFlight);
  if (Object.keys(inFlight).length > IN_FLIGHT_KEPT && oldest !== undefined)
    delete inFlight[oldest];
  if (direction === 'response') return { ...next, inFlight, calls: without(next.calls, spanId) };
  if (direction === 'event' || message.protocol === 'signal') return { ...next, inFlight };
  const call = { messageId: id, from: from.actor, fromPid: from.pid, to: to.actor, summary };
  return { ...next, inFlight, calls: { ...next.calls, [spanId]: call } };
}

/** Programs that are not ours (the official CLI, the container's) do not say that a message reached them. */
const SILENT: ReadonlySet<Actor> = new Set(['docker', 'client', 'container', 'kernel']);

/**
 * A message has landed once something names it as its cause, or its receiver went on, or its span is over.
 * A pushed event is answered by nobody: it has landed when anything else happens.
 */
function land(machine: Machine, event: SequencedEvent): Machine {
  const landed = Object.values(machine.inFlight).filter(
    (message) =>
      message.id === event.cause ||
      SILENT.has(message.to.actor) ||
      message.direction === 'event' ||
      (message.to.actor === event.emitter.actor && message.to.pid === event.emitter.pid) ||
      (event.type === 'spanEnded' && event.spanId === message.spanId),
  );
  if (landed.length === 0) return machine;
  const inFlight = { ...machine.inFlight };
  for (const message of landed) delete inFlight[message.id];
  return { ...machine, inFlight };
}

/** Somebody acted or was spoken to: so it is there, though the trace never told of its birth. */
function sight(machine: Machine, actor: Actor, pid: number, toldBy: string): Machine {
  const key = String(pid);
  const known = machine.processes[key];
  if (known?.actor === actor) return machine;
  // A dead process may still be spoken of, and a container's init is first a copy of runc.
  if (known && known.exit === null) return machine;
  const seen: ProcessView = { ...NOBODY, pid, actor, name: actor, toldBy };
  const processes = { ...machine.processes, [key]: seen };
  const present = machine.processes[String(machine.current[actor] ?? '')];
  // There is one dockerd and one containerd: another pid means that it was restarted.
  const isDaemon = actor === 'dockerd' || actor === 'containerd';
  if (present && present.exit === null && !isDaemon) return { ...machine, processes };
  return { ...machine, processes, current: { ...machine.current, [actor]: pid } };
}

const NOBODY = {
  ppid: null,
  argv: [],
  bornAt: null,
  execAt: null,
  claimed: false,
  joined: false,
  formerParents: [],
  exit: null,
  containerId: null,
  attributes: {},
} as const satisfies Partial<ProcessView>;

function changeProcess(machine: Machine, event: ProcessEvent, at: number): Machine {
  const { pid, ppid, name, argv } = event.process;
  const key = String(pid);
  const born = event.change === 'fork';
  const known = born ? undefined : machine.processes[key];
  const before: ProcessView = known ?? {
    ...NOBODY,
    pid,
    actor: event.actor,
    name,
    toldBy: event.id,
    bornAt: born || event.change === 'exec' ? at : null,
  };
  const parent = ppid ?? before.ppid;
  const moved = before.ppid !== null && parent !== null && parent !== before.ppid;
  const process: ProcessView = {
    ...before,
    actor: event.actor,
    name,
    argv: argv ?? before.argv,
    ppid: parent,
    formerParents: moved
      ? [...before.formerParents, before.ppid].slice(-LATEST_KEPT)
      : before.formerParents,
    execAt: event.change === 'exec' ? at : before.execAt,
    claimed: before.claimed || event.change === 'claimed',
    joined: before.joined || (born && event.actor === 'container' && isJoining(machine, ppid)),
    exit:
      event.change === 'exit'
        ? { at, code: event.exit?.code ?? null, signal: event.exit?.signal ?? null }
        : before.exit,
    containerId: event.containerId ?? before.containerId,
    attributes: { ...before.attributes, ...event.attributes },
    toldBy: event.id,
  };
  // Who joins a container does not stand for it, unless nobody else is known.
  const takesTheStage = event.change !== 'exit' && event.change !== 'reparent' && !process.joined;
  const current =
    takesTheStage || machine.current[event.actor] === undefined
      ? { ...machine.current, [event.actor]: pid }
      : machine.current;
  const namespaces =
    event.actor === 'container' || event.containerId !== undefined
      ? namespaceInodes(machine.namespaces, event.attributes)
      : machine.namespaces;
  return { ...machine, processes: { ...machine.processes, [key]: process }, current, namespaces };
}

/** `runc exec` puts one more process into a container; `runc create` makes its first. */
const isJoining = ({ processes }: Machine, ppid: number | null): boolean =>
  processes[String(ppid ?? '')]?.argv[1] === 'exec';

function write(machine: Machine, event: OutputEvent): Machine {
  const stream = writerOf(event);
  const before = machine.outputEnds[stream] ?? 0;
  const end = Math.max(before, event.offset + event.sizeBytes);
  return {
    ...machine,
    output: { event, before: machine.output },
    outputBytes: machine.outputBytes + end - before,
    outputEnds: { ...machine.outputEnds, [stream]: end },
  };
}

/** The signal that asks dockerd to read its configuration again (SIGHUP) breaks nothing. */
function strike(
  machine: Machine,
  { id, from, to, protocol, summary }: Message,
  at: number,
): Machine {
  if (protocol !== 'signal' || from.actor !== 'lab' || summary === 'SIGHUP') return machine;
  const fault = { eventId: id, n: machine.n, at, actor: to.actor, pid: to.pid, signal: summary };
  return { ...machine, fault, sightings: {}, adopted: {} };
}

/** What the lab saw of a process after a fault, and what dockerd says of a container that it found again. */
function takeNote(machine: Machine, event: SpanEvent, at: number): Machine {
  const { id, name, attributes } = event;
  if (name === 'container adopted') {
    const container = String(attributes['container.id'] ?? '');
    return { ...machine, adopted: { ...machine.adopted, [container]: id } };
  }
  if (name !== 'process lives on' && name !== 'process is gone') return machine;
  const ppid = attributes['process.parent_pid'];
  const sighting: Sighting = {
    at,
    isThere: name === 'process lives on',
    startTime: String(attributes['engineroom.process.start_time'] ?? ''),
    ppid: typeof ppid === 'number' ? ppid : null,
    eventId: id,
  };
  const pid = String(attributes['process.pid'] ?? '');
  return { ...machine, sightings: { ...machine.sightings, [pid]: sighting } };
}

/** Told by whoever waits: that it is held, and that it goes on. */
function hold(machine: Machine, { id, name, emitter, attributes }: SpanEvent): Machine {
  if (name !== HELD_EVENT && name !== RELEASED_EVENT) return machine;
  const gate = String(attributes['engineroom.gate'] ?? '');
  if (name === RELEASED_EVENT) return { ...machine, held: without(machine.held, gate) };
  const subject = attributes['process.pid'];
  const held: HeldView = {
    gate,
    actor: emitter.actor,
    pid: emitter.pid,
    subjectPid: typeof subject === 'number' ? subject : null,
    eventId: id,
  };
  return { ...machine, held: { ...machine.held, [gate]: held } };
}

/** The lab tells what the client printed of its own: a table, a version, an error. */
function print(machine: Machine, { name, attributes }: SpanEvent): Machine {
  const text = attributes['engineroom.client.text'];
  if (typeof text !== 'string') return machine;
  const stream = name === 'client stderr' ? 'stderr' : 'stdout';
  return { ...machine, client: { stream, text, before: machine.client } };
}

const without = <T>(
  record: Readonly<Record<string, T>>,
  key: string,
): Readonly<Record<string, T>> => {
  if (!(key in record)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
};
