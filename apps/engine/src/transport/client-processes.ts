/**
 * Who is at the other end of the socket, from what the kernel says: one command of a client is one trace, and a program
 * that was started with TRACEPARENT in its environment belongs to that trace, whatever SDK it uses.
 * See unix(7) SO_PEERCRED, proc(5), pidfd_open(2), and OpenTelemetry's "Environment Variables as Context Propagation Carriers".
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import type { ClientActor } from '../protocol/trace/event.ts';
import { processId } from '../protocol/trace/event-id.ts';
import { parseTraceparent, traceOfProcess, type SpanContext } from '../tracing/context.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { pidOfLoopbackPeer } from './loopback-peer.ts';
import { pidOfPeer, type CredentialsOfPeer } from './unix-socket.ts';

export interface ClientProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  /** What /proc/<pid>/exe points at; empty for a process that may not be looked into. */
  readonly executable: string;
  readonly argv: readonly string[];
  /** Clock ticks since boot: with it a pid is unique. */
  readonly startTime: string;
  /** The trace that it was started for, when whoever started it said so. */
  readonly startedFor: SpanContext | null;
}

/** What is asked of the kernel; pidfd_open(2) tells of the exit. */
export interface ProcessCalls {
  readonly peerCredentials: CredentialsOfPeer;
  pidfdOpen(pid: number): number;
  watchReadable(fd: number, onReadable: () => void): () => void;
  close(fd: number): void;
}

/** Whose clients these are. */
export interface ClientKind {
  readonly actor: ClientActor;
  /** True for a program that does one thing and leaves; all that it asks for is one trace. */
  isCommand(client: ClientProcess): boolean;
}

export const DOCKER_CLIENTS: ClientKind = {
  actor: 'docker',
  isCommand: ({ name }) => name === DOCKER,
};

/** containerd's own command lines. Others, such as a kubelet, live long. */
const CONTAINERD_COMMANDS: ReadonlySet<string> = new Set(['ctr', 'nerdctl']);

export const CONTAINERD_CLIENTS: ClientKind = {
  actor: 'client',
  isCommand: ({ executable }) => CONTAINERD_COMMANDS.has(basename(executable)),
};

/** A command, or another program of one trace, from its first request to its exit. */
export interface TracedCommand {
  readonly context: SpanContext;
  /** What made the client send its next request: its own start, then each answer it got. */
  lastCause: string | null;
}

const NANOSECONDS_PER_TICK = 10_000_000n;
const DOCKER = 'docker';

/** Our own small client is a script: the kernel knows it as `node …/bin/docker run …`. */
const isOurClient = ([program = '', script = '']: readonly string[]): boolean =>
  basename(program) === 'node' && basename(script) === DOCKER;

const executableOf = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
};

const TRACEPARENT = 'TRACEPARENT=';

const traceInEnvironment = (pid: number): SpanContext | null => {
  const variable = readFileSync(`/proc/${pid}/environ`, 'latin1')
    .split('\0')
    .find((each) => each.startsWith(TRACEPARENT));
  return parseTraceparent(variable?.slice(TRACEPARENT.length)) ?? null;
};

/** Null when it is gone already, or is in no pid namespace of ours. */
export const readProcess = (pid: number): ClientProcess | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may contain anything, spaces and parentheses too.
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const name = stat.slice(stat.indexOf('(') + 1, end);
    const facts = { pid, ppid: Number(fields[1]), name, argv, startTime: fields[19] ?? '' };
    const client = { ...facts, executable: executableOf(pid) };
    if (isOurClient(argv))
      return { ...client, name: DOCKER, argv: [DOCKER, ...argv.slice(2)], startedFor: null };
    return { ...client, startedFor: name === DOCKER ? null : traceInEnvironment(pid) };
  } catch {
    return null;
  }
};

export class ClientProcesses {
  readonly #tracer: Tracer;
  readonly #calls: ProcessCalls;
  readonly #kind: ClientKind;
  readonly #ofSocket = new WeakMap<Socket, ClientProcess | null>();
  readonly #commands = new Map<string, TracedCommand>();

  constructor(tracer: Tracer, calls: ProcessCalls, kind: ClientKind) {
    this.#tracer = tracer;
    this.#calls = calls;
    this.#kind = kind;
  }

  get actor(): ClientActor {
    return this.#kind.actor;
  }

  isCommand(client: ClientProcess): boolean {
    return this.#kind.isCommand(client) || client.startedFor !== null;
  }

  /** Asked when the connection is made: later the client may be gone. */
  remember(socket: Socket): void {
    this.#ofSocket.set(socket, this.identify(socket));
  }

  /** Null where the kernel cannot say. */
  identify(socket: Socket): ClientProcess | null {
    // On TCP the kernel gives no credentials: then pid 0.
    const pid = pidOfPeer(socket, this.#calls.peerCredentials) || pidOfLoopbackPeer(socket);
    return pid === null ? null : readProcess(pid);
  }

  of(socket: Socket): ClientProcess | null {
    return this.#ofSocket.get(socket) ?? null;
  }

  /** The trace of a command; null for a client that lives long and does many things. */
  commandOf(client: ClientProcess): TracedCommand | null {
    if (!this.isCommand(client)) return null;
    const key = `${client.pid} ${client.startTime}`;
    const known = this.#commands.get(key);
    if (known) return known;
    const context = client.startedFor ?? traceOfProcess(client.pid, client.startTime);
    const cause = this.tellExec(client, context.traceId);
    // Whoever gave it a trace tells of that trace's span.
    const span =
      client.startedFor === null
        ? this.#tracer.startSpan(client.argv.join(' ').slice(0, 200), {
            context,
            parent: null,
            kind: 'internal',
            cause,
            attributes: { 'process.pid': client.pid, 'process.command_args': client.argv },
            source: __SOURCE__,
          })
        : null;
    const command: TracedCommand = { context, lastCause: cause };
    this.#commands.set(key, command);
    this.#watchExit(client, key, command, span);
    return command;
  }

  /** Tells that the client is there. Answers the event's id. */
  tellExec(client: ClientProcess, traceId: string): string {
    const id = processId(client.pid, 'exec');
    const { pid, ppid, name, argv, startTime, executable } = client;
    this.#tracer.emit({
      type: 'process',
      id,
      traceId,
      cause: null,
      level: 'chapter',
      mono: (BigInt(startTime || '0') * NANOSECONDS_PER_TICK).toString(),
      change: 'exec',
      actor: this.#kind.actor,
      process: { pid, ppid, name, argv, startTime },
      attributes: {
        'process.pid': pid,
        'process.parent_pid': ppid,
        'process.command_args': argv,
        ...(executable ? { 'process.executable.path': executable } : {}),
      },
      source: __SOURCE__,
    });
    return id;
  }

  #watchExit(client: ClientProcess, key: string, command: TracedCommand, span: Span | null): void {
    const ended = (): void => {
      this.#commands.delete(key);
      const id = processId(client.pid, 'exit');
      const { pid, ppid, name, startTime } = client;
      // The exit code goes to the client's parent alone; the lab adds it for clients that it has started.
      this.#tracer.emit({
        type: 'process',
        id,
        traceId: command.context.traceId,
        cause: command.lastCause,
        level: 'chapter',
        change: 'exit',
        actor: this.#kind.actor,
        process: { pid, ppid, name, startTime },
        attributes: { 'process.pid': pid },
        source: __SOURCE__,
      });
      span?.end({ code: 'ok' }, {}, { cause: id });
    };
    try {
      const pidfd = this.#calls.pidfdOpen(client.pid);
      const stop = this.#calls.watchReadable(pidfd, () => {
        stop();
        this.#calls.close(pidfd);
        ended();
      });
    } catch {
      ended();
    }
  }
}
