/**
 * The line to the lab: one WebSocket that brings the trace (`protocol/trace/stream.ts`), and a few HTTP requests.
 *
 * It acknowledges what it took in, resumes after a loss from the last gapless `seq`, and fetches a trace's file when
 * the lab says that it is behind. When the line is lost it tries again, and says when.
 */
import type { CheckAnswer, CheckRequest } from '@engine-room/engine/protocol/lesson/predicate.ts';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type { FaultAccepted, FaultRequest } from '@engine-room/engine/protocol/trace/fault.ts';
import type { ClientFrame, ServerFrame } from '@engine-room/engine/protocol/trace/stream.ts';
import { t } from '../messages/catalogue.ts';
import { isSummary, parseEvent } from './parse-event.ts';
import { fetchRecordedTrace } from './recorded-trace.ts';
import { addEvents, haveBySeq, noteSummary, noteWhole, traceStore } from './trace-store.ts';

const SUBPROTOCOL = 'engine-room.v1';
const PING_EVERY_MS = 5_000;
const SILENCE_LIMIT_MS = 15_000;
/** Whatever takes the connection and says nothing for so long is no lab. */
const GREETING_LIMIT_MS = 5_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** What the lab says of a command line that it does not run. */
export interface RunRefusal {
  readonly message: string;
  /** Where in the command line, if it is about a place in it. */
  readonly position: number | null;
}

/** `held[].process` of `GET /api/runs/:traceId/gates`. */
export interface FrozenFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly state: string;
  readonly pids: readonly number[];
  readonly capabilities: string;
  readonly seccomp: number;
  readonly namespaces: readonly {
    readonly type: string;
    readonly inode: string;
    readonly isOwn: boolean;
  }[];
  readonly mounts: readonly { readonly target: string }[];
}

export type RunAnswer =
  { readonly traceId: string; readonly injected: readonly string[] } | RunRefusal;

/** Where the line goes: to the lab, or into a room of it (`rooms/`). */
export interface LineEnds {
  readonly stream: string;
  /** What is asked when the stream does not open: its answer says why. */
  readonly why: string;
  readonly trace: (traceId: string) => string;
  /** Frames that are not of the trace. */
  readonly onFrame?: (frame: { readonly type: string }) => void;
  readonly onGreeting?: () => void;
}

const LAB: LineEnds = {
  stream: '/api/stream',
  why: '/api/engine',
  trace: (traceId) => `/api/traces/${traceId}`,
};

export class LabConnection {
  readonly #token: string | null;
  readonly #ends: LineEnds;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #greeting: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #heardAt = 0;
  #wasLive = false;
  readonly #fetching = new Set<string>();

  constructor(token: string | null, ends: LineEnds = LAB) {
    this.#token = token;
    this.#ends = ends;
  }

  /** Something that is not about the trace; lost when there is no line. */
  say(word: { readonly type: string }): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word));
  }

  open(): void {
    clearTimeout(this.#timer);
    if (this.#socket) return;
    if (!this.#wasLive) traceStore.setState({ connection: { state: 'connecting' } });
    const socket = this.#connect(this.#ends.stream);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#receive(String(data));
    });
    socket.addEventListener('close', () => void this.#lost(socket));
    this.#greeting = setTimeout(() => {
      // A request for the reason would wait as long, and so may the socket's own `close`.
      this.#forget();
      socket.close();
      this.#retryLater();
    }, GREETING_LIMIT_MS);
  }

  /** For good. */
  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#forget();
    socket?.close();
  }

  /** A line of its own for a terminal. */
  terminal(): WebSocket {
    return this.#connect('/api/terminal');
  }

  #connect(path: string): WebSocket {
    const url = new URL(path, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, this.#token ? [SUBPROTOCOL, `token.${this.#token}`] : [SUBPROTOCOL]);
  }

  /** Asks the lab to run a command line. */
  async run(command: string, gates: readonly string[] = []): Promise<RunAnswer> {
    let response: Response;
    try {
      response = await fetch('/api/run', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...this.#authorization() },
        body: JSON.stringify(gates.length === 0 ? { command } : { command, gates }),
      });
    } catch {
      return { message: t().connection.unreachable, position: null };
    }
    const body: unknown = await response.json().catch(() => null);
    const field = (name: string): unknown =>
      typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    const traceId = field('traceId');
    if (response.ok && typeof traceId === 'string') {
      const injected = field('injected');
      return { traceId, injected: Array.isArray(injected) ? injected.map(String) : [] };
    }
    const message = field('message');
    const position = field('position');
    return {
      message: typeof message === 'string' ? message : t().connection.status(response.status),
      position: typeof position === 'number' ? position : null,
    };
  }

  /** Asks the lab to look at the machine; a sentence when it cannot. */
  async check(request: CheckRequest): Promise<CheckAnswer | { readonly message: string }> {
    try {
      const response = await fetch('/api/checks', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...this.#authorization() },
        body: JSON.stringify(request),
      });
      const body = (await response.json()) as CheckAnswer | { readonly message: string };
      return response.ok || 'message' in body
        ? body
        : { message: t().connection.status(response.status) };
    } catch {
      return { message: t().connection.unreachable };
    }
  }

  /** Asks the lab to break something. */
  async fault(request: FaultRequest): Promise<FaultAccepted | { readonly message: string }> {
    try {
      const response = await fetch('/api/faults', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...this.#authorization() },
        body: JSON.stringify(request),
      });
      const body = (await response.json()) as FaultAccepted & { readonly message?: string };
      if (response.ok) return body;
      return { message: body.message ?? t().connection.status(response.status) };
    } catch {
      return { message: t().connection.unreachable };
    }
  }

  /** Lets go who is held in the run. */
  async continue(traceId: string): Promise<void> {
    await fetch(`/api/runs/${traceId}/continue`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...this.#authorization() },
      body: '{}',
    }).catch(() => undefined);
  }

  /** What /proc says of the process that is held at the gate now; null when none is. */
  async held(traceId: string, gate: string): Promise<FrozenFacts | null> {
    try {
      const response = await fetch(`/api/runs/${traceId}/gates`, {
        headers: this.#authorization(),
      });
      if (!response.ok) return null;
      const { held } = (await response.json()) as {
        readonly held: readonly { readonly gate: string; readonly process: FrozenFacts | null }[];
      };
      return held.find((each) => each.gate === gate)?.process ?? null;
    } catch {
      return null;
    }
  }

  async stop(traceId: string): Promise<void> {
    await fetch(`/api/runs/${traceId}/stop`, {
      method: 'POST',
      headers: this.#authorization(),
    }).catch(() => undefined);
  }

  /** Makes a run whole that the stream has brought only in part (or not at all, because it is over). */
  async fetchTrace(traceId: string): Promise<void> {
    if (this.#fetching.has(traceId)) return;
    this.#fetching.add(traceId);
    try {
      const trace = await fetchRecordedTrace(this.#ends.trace(traceId), this.#authorization());
      addEvents(traceId, trace.events);
      noteWhole(traceId, true);
    } catch (error) {
      noteWhole(traceId, false, error instanceof Error ? error.message : String(error));
    } finally {
      this.#fetching.delete(traceId);
    }
  }

  #authorization(): Record<string, string> {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  #receive(data: string): void {
    this.#heardAt = performance.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(data) as ServerFrame;
    } catch {
      return;
    }
    switch (frame.type) {
      case 'hello':
        return this.#greet(frame);
      case 'engine':
        return traceStore.setState({ engine: frame.engine });
      case 'trace':
        if (isSummary(frame.trace)) noteSummary(frame.trace);
        return;
      case 'events':
        addEvents(frame.traceId, frame.events.flatMap(believe));
        return this.#send({ type: 'ack', frame: frame.frame });
      case 'behind':
        noteWhole(frame.traceId, false);
        return void this.fetchTrace(frame.traceId);
      case 'pong':
        traceStore.setState({
          connection: { state: 'live', roundTripMs: Math.round(performance.now() - frame.t) },
        });
        return;
      default:
        this.#ends.onFrame?.(frame);
    }
  }

  #greet({ engine, traces }: Extract<ServerFrame, { type: 'hello' }>): void {
    clearTimeout(this.#greeting);
    this.#retryMs = FIRST_RETRY_MS;
    this.#wasLive = true;
    traceStore.setState({ engine, connection: { state: 'live', roundTripMs: null } });
    for (const trace of traces.filter(isSummary)) noteSummary(trace);
    this.#send({ type: 'resume', have: haveBySeq() });
    this.#ends.onGreeting?.();
    this.#ping();
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  #ping(): void {
    // A line may die without a word: then the browser would go on believing in it for minutes.
    if (performance.now() - this.#heardAt > SILENCE_LIMIT_MS) this.#socket?.close();
    else this.#send({ type: 'ping', t: performance.now() });
  }

  #send(frame: ClientFrame): void {
    this.say(frame);
  }

  async #lost(socket: WebSocket): Promise<void> {
    if (this.#socket !== socket) return;
    this.#forget();
    const refusal = await this.#askWhy();
    if (refusal !== null) {
      traceStore.setState({ connection: { state: 'refused', reason: refusal } });
      return;
    }
    this.#retryLater();
  }

  #forget(): void {
    this.#socket = null;
    clearTimeout(this.#greeting);
    clearInterval(this.#pinger);
  }

  #retryLater(): void {
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    traceStore.setState({
      connection: { state: 'lost', retryAtMs: Date.now() + retryMs, wasLive: this.#wasLive },
    });
    this.#timer = setTimeout(() => this.open(), retryMs);
  }

  /** A WebSocket that fails to open does not say why; a request does. Null when trying again makes sense. */
  async #askWhy(): Promise<string | null> {
    try {
      const response = await fetch(this.#ends.why, { headers: this.#authorization() });
      // What was there may come back: a lab that starts anew has its rooms again.
      const isLost = response.status === 404 && !this.#wasLive;
      if (!isLost && response.status !== 401 && response.status !== 403) return null;
      const body: unknown = await response.json();
      const message: unknown =
        typeof body === 'object' && body !== null ? Reflect.get(body, 'message') : null;
      return typeof message === 'string' ? message : t().connection.needsToken;
    } catch {
      return null;
    }
  }
}

/** The lab checks what it delivers, but a page that breaks on one bad event would be a poor witness. */
const believe = (value: unknown): readonly SequencedEvent[] => {
  const parsed = parseEvent(value);
  return 'event' in parsed ? [parsed.event] : [];
};
