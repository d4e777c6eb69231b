/**
 * The line to the lab: one WebSocket that brings the trace (`protocol/trace/stream.ts`). What is asked besides: `lab-requests.ts`.
 *
 * It acknowledges what it took in, resumes after a loss from the last gapless `seq`, and fetches a trace's file when
 * the lab says that it is behind. When the line is lost it tries again, and says when.
 */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type { ClientFrame, ServerFrame } from '@engine-room/engine/protocol/trace/stream.ts';
import { t } from '../messages/catalogue.ts';
import { authorizedBy, connectTo } from './lab-address.ts';
import { isSummary, parseEvent } from './parse-event.ts';
import { fetchRecordedTrace } from './recorded-trace.ts';
import { addEvents, haveBySeq, noteSummary, noteWhole, traceStore } from './trace-store.ts';

const PING_EVERY_MS = 5_000;
const SILENCE_LIMIT_MS = 15_000;
/** Whatever takes the connection and says nothing for so long is no lab. */
const GREETING_LIMIT_MS = 5_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/**
 * An answer to each frame would be most of what the lab reads where thousands follow: one is for so many frames, or for what
 * came before a pause so long. Nor do they all answer at once.
 */
const ACK_FRAMES = { least: 12, most: 20 };
const ACK_PAUSE_MS = { least: 150, most: 350 };

const between = ({ least, most }: { readonly least: number; readonly most: number }): number =>
  least + Math.random() * (most - least);

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
  /** The last frame that was taken in, while its acknowledgement waits, and how many more it may wait for. */
  #unacked: number | null = null;
  #framesToAck = between(ACK_FRAMES);
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
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
    // Who has heard of the loss need not hear of each attempt.
    if (traceStore.getState().connection.state !== 'lost')
      traceStore.setState({ connection: { state: 'connecting' } });
    const socket = connectTo(this.#ends.stream, this.#token);
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

  /** Makes a run whole that the stream has brought only in part (or not at all, because it is over). */
  async fetchTrace(traceId: string): Promise<void> {
    if (this.#fetching.has(traceId)) return;
    this.#fetching.add(traceId);
    try {
      const trace = await fetchRecordedTrace(this.#ends.trace(traceId), authorizedBy(this.#token));
      addEvents(traceId, trace.events);
      noteWhole(traceId, true);
    } catch (error) {
      noteWhole(traceId, false, error instanceof Error ? error.message : String(error));
    } finally {
      this.#fetching.delete(traceId);
    }
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
      case 'place':
        return traceStore.setState({ ahead: frame.ahead });
      case 'trace':
        if (isSummary(frame.trace)) noteSummary(frame.trace);
        return;
      case 'events':
        addEvents(frame.traceId, frame.events.flatMap(believe));
        return this.#ackSoon(frame.frame);
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
    traceStore.setState({
      engine,
      ahead: null,
      connection: { state: 'live', roundTripMs: null },
    });
    for (const trace of traces.filter(isSummary)) noteSummary(trace);
    this.#send({ type: 'resume', have: haveBySeq() });
    this.#ends.onGreeting?.();
    this.#ping();
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  #ackSoon(frame: number): void {
    this.#unacked = frame;
    this.#framesToAck -= 1;
    clearTimeout(this.#ackTimer);
    if (this.#framesToAck <= 0) this.#ack();
    else this.#ackTimer = setTimeout(() => this.#ack(), between(ACK_PAUSE_MS));
  }

  #ack(): void {
    if (this.#unacked !== null) this.#send({ type: 'ack', frame: this.#unacked });
    this.#unacked = null;
    this.#framesToAck = between(ACK_FRAMES);
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
    clearTimeout(this.#ackTimer);
    this.#unacked = null;
    this.#framesToAck = between(ACK_FRAMES);
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
      const response = await fetch(this.#ends.why, { headers: authorizedBy(this.#token) });
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
