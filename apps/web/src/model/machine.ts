/**
 * The machine as the trace has told of it so far: what the page draws, and nothing else.
 * Plain values, never changed in place: `apply.ts` makes the next machine out of one and an event.
 */
import type {
  Actor,
  Attributes,
  Message,
  OutputEvent,
  SyscallEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import { NO_LAYERS, type LayerPile } from './layer-pile.ts';

export interface ProcessView {
  readonly pid: number;
  readonly actor: Actor;
  readonly ppid: number | null;
  readonly name: string;
  readonly argv: readonly string[];
  /** When it was born; null when it was there before the trace spoke of it. */
  readonly bornAt: number | null;
  readonly execAt: number | null;
  readonly claimed: boolean;
  /** It joined a container that ran already: `docker exec`. */
  readonly joined: boolean;
  /** Parents that it had before the present one. */
  readonly formerParents: readonly number[];
  readonly exit: {
    readonly at: number;
    /** Null when nobody could ask the kernel for it: only a parent can. */
    readonly code: number | null;
    readonly signal: string | null;
  } | null;
  readonly containerId: string | null;
  readonly attributes: Attributes;
  /** The event that said so last. */
  readonly toldBy: string;
}

/** A request that waits for its answer. */
export interface Call {
  readonly messageId: string;
  readonly from: Actor;
  readonly fromPid: number | null;
  readonly to: Actor;
  readonly summary: string;
}

export interface OpenSpan {
  readonly spanId: string;
  readonly actor: Actor;
  readonly pid: number;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
}

/** What one kind of kernel object has seen. */
export interface KernelObject {
  readonly object: SyscallEvent['object'];
  readonly count: number;
  readonly failed: number;
  /** The latest few, newest last. */
  readonly latest: readonly SyscallEvent[];
}

/** The output as a list that shares its tail with the machine before. */
export interface OutputTail {
  readonly event: OutputEvent;
  readonly before: OutputTail | null;
}

/** What the client itself printed, as a list of the same kind. */
export interface ClientTail {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  readonly before: ClientTail | null;
}

/** A signal that the lab sent because somebody asked it to break something. */
export interface FaultView {
  readonly eventId: string;
  /** How many events had happened before it. */
  readonly n: number;
  readonly at: number;
  readonly actor: Actor;
  readonly pid: number | null;
  readonly signal: string;
}

/** What the lab saw in /proc when it looked for a process that was there before. */
export interface Sighting {
  readonly at: number;
  readonly isThere: boolean;
  readonly startTime: string;
  readonly ppid: number | null;
  readonly eventId: string;
}

/** Somebody who waits at a gate. */
export interface HeldView {
  readonly gate: string;
  readonly actor: Actor;
  /** Who waits, and who is worth looking at meanwhile. */
  readonly pid: number;
  readonly subjectPid: number | null;
  readonly eventId: string;
}

/** What the kernel has been asked for. */
export interface KernelFacts {
  readonly kernel: Readonly<Partial<Record<SyscallEvent['object'], KernelObject>>>;
  /** Kinds of namespaces made for the container (`pid`, `mnt` …), with the inode once it is known. */
  readonly namespaces: Readonly<Record<string, string | null>>;
  readonly cgroup: {
    readonly path: string | null;
    readonly files: Readonly<Record<string, string>>;
  };
}

/** What is one container's alone. */
export interface ContainerView extends KernelFacts {
  readonly id: string;
  readonly current: Readonly<Partial<Record<'shim' | 'runc' | 'container', number>>>;
}

/** The kernel's facts are those of the whole run; each container has its own besides. */
export interface Machine extends KernelFacts {
  /** How many events it has seen, and the time of the last. */
  readonly n: number;
  readonly at: number;
  readonly processes: Readonly<Record<string, ProcessView>>;
  /** The process that stands for an actor on the stage. */
  readonly current: Readonly<Partial<Record<Actor, number>>>;
  readonly calls: Readonly<Record<string, Call>>;
  readonly openSpans: Readonly<Record<string, OpenSpan>>;
  /** Sent and not yet received, by the id of the message. */
  readonly inFlight: Readonly<Record<string, Message>>;
  /** By id, in the order in which they were first seen. */
  readonly containers: Readonly<Record<string, ContainerView>>;
  /** The container that was spoken of last. */
  readonly latest: string | null;
  readonly output: OutputTail | null;
  readonly outputBytes: number;
  /** How far each stream has come: a flood is told in samples, and their places say what lies between. */
  readonly outputEnds: Readonly<Record<string, number>>;
  readonly client: ClientTail | null;
  readonly dropped: number;
  readonly layers: LayerPile;
  /** The latest fault. */
  readonly fault: FaultView | null;
  /** By pid. */
  readonly sightings: Readonly<Record<string, Sighting>>;
  /** Containers that a new dockerd has taken over, with the event that says so. */
  readonly adopted: Readonly<Record<string, string>>;
  /** By gate. */
  readonly held: Readonly<Record<string, HeldView>>;
}

const NO_KERNEL_FACTS: KernelFacts = {
  kernel: {},
  namespaces: {},
  cgroup: { path: null, files: {} },
};

export const CONTAINER_AT_REST: Omit<ContainerView, 'id'> = { ...NO_KERNEL_FACTS, current: {} };

export const MACHINE_AT_REST: Machine = {
  n: 0,
  at: 0,
  processes: {},
  current: {},
  calls: {},
  openSpans: {},
  inFlight: {},
  ...NO_KERNEL_FACTS,
  containers: {},
  latest: null,
  output: null,
  outputBytes: 0,
  outputEnds: {},
  client: null,
  dropped: 0,
  layers: NO_LAYERS,
  fault: null,
  sightings: {},
  adopted: {},
  held: {},
};

/** Each process that was started in a container counts its own bytes. */
export const writerOf = ({ containerId, cause, stream }: OutputEvent): string =>
  `${containerId} ${cause} ${stream}`;

/** The output from its beginning. */
export const outputOf = (machine: Pick<Machine, 'output'>): readonly OutputEvent[] => {
  const events: OutputEvent[] = [];
  for (let tail = machine.output; tail; tail = tail.before) events.push(tail.event);
  return events.reverse();
};

/** What the client printed, from its beginning. */
export const clientTextOf = (
  tail: ClientTail | null,
): readonly Pick<ClientTail, 'stream' | 'text'>[] => {
  const texts: ClientTail[] = [];
  for (let at = tail; at; at = at.before) texts.push(at);
  return texts.reverse();
};

/** The container's own program, and no longer runc's copy that builds its surroundings. */
export const isRunning = ({ exit, execAt }: ProcessView): boolean =>
  exit === null && execAt !== null;

export const nameOfProcess = ({ argv, name }: ProcessView): string => argv.join(' ') || name;
