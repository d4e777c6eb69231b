/**
 * The words of the trace: everything that a process of the engine can say about what it did.
 *
 * The page draws a fold over these events and nothing else, so an event exists only for something that happened.
 * The vocabulary is OpenTelemetry's (https://opentelemetry.io/docs/specs/otel/trace/api/), widened by what a live
 * drawing needs: beginnings, messages that cross a seam, births and deaths of processes, and container output.
 */

/** Who asks: dockerd's clients, or whoever speaks to containerd itself, such as `ctr`. */
export type ClientActor = 'docker' | 'client';

/** The actors on the stage, and the lab that watches them (which is not a part of Docker). */
export type Actor =
  ClientActor | 'dockerd' | 'containerd' | 'shim' | 'runc' | 'container' | 'kernel' | 'lab';

export const isClientActor = (actor: Actor): actor is ClientActor =>
  actor === 'docker' || actor === 'client';

/** How much zoom shows the event: about 8 chapters a run, about 25 steps, and every detail. */
export type Level = 'chapter' | 'step' | 'detail';

/** Values that an attribute can have. Names: `attributes.ts`. */
export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface EventBase {
  /** Unique within the trace. See `event-id.ts` for ids that two processes must agree on. */
  readonly id: string;
  /** 32 lower-case hex digits (W3C trace context). */
  readonly traceId: string;
  /** The id of the event that made this one happen; null for the first event of a trace. */
  readonly cause: string | null;
  /** CLOCK_MONOTONIC in nanoseconds since boot, as a decimal string (it outgrows a double). */
  readonly mono: string;
  readonly level: Level;
  /** Who says so. `n` counts this process's events from 0: a hole in it is a dropped event. */
  readonly emitter: { readonly actor: Actor; readonly pid: number; readonly n: number };
  /** The file and line of this repository that did it, e.g. `apps/engine/src/dockerd/daemon/start.ts:41`. */
  readonly source?: string;
}

export interface SpanStarted extends EventBase {
  readonly type: 'spanStarted';
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** What one would search for: `POST /containers/{id}/start`, `runc create`. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly attributes: Attributes;
  /** Other traces that this one goes back to, e.g. `docker stop` → the trace that created the container. */
  readonly links?: readonly { readonly traceId: string; readonly spanId?: string }[];
}

/** Something noteworthy at one instant inside a span. */
export interface SpanEvent extends EventBase {
  readonly type: 'spanEvent';
  readonly spanId: string;
  readonly name: string;
  readonly attributes: Attributes;
}

export interface SpanEnded extends EventBase {
  readonly type: 'spanEnded';
  readonly spanId: string;
  readonly status: { readonly code: 'ok' | 'error'; readonly message?: string };
  readonly attributes: Attributes;
}

/** Bytes as they crossed the seam, cut after `RAW_LIMIT_BYTES`, secrets blanked. */
export interface RawBytes {
  readonly base64: string;
  /** The true length; more than what `base64` decodes to where it was cut. */
  readonly sizeBytes: number;
  readonly truncated: boolean;
}
export const RAW_LIMIT_BYTES = 4096;

/** A request, a response or a pushed event that crossed from one process to another. */
export interface Message extends EventBase {
  readonly type: 'message';
  /** The client span that the message belongs to. */
  readonly spanId: string;
  readonly protocol: 'http' | 'grpc' | 'ttrpc' | 'exec' | 'fifo' | 'signal';
  readonly direction: 'request' | 'response' | 'event';
  readonly from: { readonly actor: Actor; readonly pid: number | null };
  readonly to: { readonly actor: Actor; readonly pid: number | null };
  /** One line: `POST /v1.50/containers/create`, `201 Created`, `Tasks/Create`. */
  readonly summary: string;
  /** The decoded message, JSON-safe, secrets blanked; null when it has no body. */
  readonly body: unknown;
  readonly raw: RawBytes | null;
}

/** A process is born, becomes another program, changes its parent, is claimed from a pool, or dies. */
export interface ProcessEvent extends EventBase {
  readonly type: 'process';
  readonly change: 'fork' | 'exec' | 'claimed' | 'reparent' | 'exit';
  readonly actor: Actor;
  /** The process in the host's pid namespace. `startTime` in clock ticks since boot, /proc/<pid>/stat field 22. */
  readonly process: {
    readonly pid: number;
    readonly ppid: number | null;
    readonly name: string;
    readonly argv?: readonly string[];
    readonly startTime?: string;
  };
  /** Present on `exit`. `code` is the shell's number (128 + signal when killed). */
  readonly exit?: { readonly code: number; readonly signal?: string };
  readonly containerId?: string;
  /** Facts of that instant from /proc, e.g. `engineroom.namespace.pid` = `4026532190`. */
  readonly attributes: Attributes;
}

/**
 * One step of a runc plan with its result, or one system call made by another part of the engine (the shim's mount).
 * Complete in itself: it carries its begin (`mono`) and its end.
 */
export interface SyscallEvent extends EventBase {
  readonly type: 'syscall';
  readonly spanId: string;
  /** The process that made the call, in the host's pid namespace, and which actor it belongs to. */
  readonly caller: { readonly actor: Actor; readonly pid: number };
  /** The man page's name: `clone3`, `mount`, `pivot_root`; `write` for an open-write-close. */
  readonly name: string;
  /** The arguments as one would read them in strace. */
  readonly detail: string;
  /** What it is for, in a few words: `new pid, mount, uts, ipc and network namespaces`. */
  readonly title: string;
  /** What in the kernel it makes or changes; draws the kernel's chips. */
  readonly object:
    | 'namespace'
    | 'cgroup'
    | 'mount'
    | 'root'
    | 'device'
    | 'capability'
    | 'seccomp'
    | 'identity'
    | 'limit'
    | 'network'
    | 'stdio'
    | 'process'
    | 'sync';
  readonly endMono: string;
  readonly result: number;
  /** `ENOENT`, or null. A call may fail and be ignored by rule: then `ignored` is true. */
  readonly errno: string | null;
  readonly ignored: boolean;
  /** `man:pivot_root(2)` or a section of the OCI runtime spec. */
  readonly reference?: string;
  readonly attributes: Attributes;
}

/** Bytes that the container's program wrote. */
export interface OutputEvent extends EventBase {
  readonly type: 'output';
  readonly containerId: string;
  readonly stream: 'stdout' | 'stderr' | 'tty';
  /** Where in the stream these bytes begin. */
  readonly offset: number;
  readonly base64: string;
  readonly sizeBytes: number;
  readonly truncated: boolean;
}

/** The collector noticed a hole in a process's counter, or the process said that its buffer was full. */
export interface DroppedEvent extends EventBase {
  readonly type: 'dropped';
  readonly actor: Actor;
  readonly pid: number;
  readonly count: number;
}

export type TraceEvent =
  | SpanStarted
  | SpanEvent
  | SpanEnded
  | Message
  | ProcessEvent
  | SyscallEvent
  | OutputEvent
  | DroppedEvent;

/** An event as the collector delivers it: `seq` is delivery order, gapless within its trace, used only to resume. */
export type SequencedEvent = TraceEvent & { readonly seq: number };
