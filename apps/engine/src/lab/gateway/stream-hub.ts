/**
 * Fans the trace out to the open pages: what happened within one frame of the screen becomes one message, encoded once
 * for everybody. A page that does not keep up is told where to fetch what it missed, instead of getting a backlog.
 */
import * as z from 'zod';
import type { ClientFrame, EngineStatus, TraceSummary } from '../../protocol/trace/stream.ts';
import { TRACE_FORMAT_VERSION } from '../../protocol/trace/stream.ts';
import type { TraceListener } from '../collector/trace-store.ts';
import { Broadcast, PARTS_MAX, type SendToAll } from './broadcast.ts';
import type { Outgoing } from './outgoing.ts';
import { encode, encodeEvents, Pending, type Item } from './pending.ts';
import { isPageFrame, pageFrame, PageConnection, type Line } from './page-connection.ts';

const BATCH_MS = 16;
/** The more pages, the longer a flush takes: a hall gets larger batches, and a third of the time is for other things. */
const BEAT_OF_FLUSH = 1.5;
const STUCK_LIMIT_MS = 8_000;
const HEARTBEAT_MS = 15_000;
/** More than this is faster fetched as a file. */
const RESUME_LIMIT_BYTES = 2 * 1024 * 1024;

/** Where the traces come from: the lab's store, or what a room may see of it. */
export interface TraceSource {
  listen(listener: Pick<TraceListener, 'onLine' | 'onSummary'>): () => void;
  summaries(): readonly TraceSummary[];
  summary(traceId: string): TraceSummary | undefined;
  runningTraceIds(): readonly string[];
  lastSeq(traceId: string): number;
  linesAfter(traceId: string, seq: number): readonly string[] | null;
}

interface Said {
  readonly type: string;
}

/** What else a page may say, and who listens. */
export interface Guests<Word extends Said> {
  readonly words: z.ZodType<Word>;
  readonly take: (page: PageConnection<ClientFrame | Word>, word: Word) => void;
  readonly leave: (page: PageConnection<ClientFrame | Word>) => void;
}

export interface StreamHubOptions<Word extends Said> {
  readonly store: TraceSource;
  readonly engine: () => EngineStatus;
  readonly guests?: Guests<Word>;
  readonly sendToAll?: SendToAll | null;
}

/** Whose page it is (null: of nobody in particular), and which runs it may know of. */
export interface Reader {
  readonly learner: string | null;
  readonly maySee: (traceId: string) => boolean;
}
const anybody: Reader = { learner: null, maySee: () => true };

export class StreamHub<Word extends Said = never> {
  readonly #store: TraceSource;
  readonly #engine: () => EngineStatus;
  readonly #guests: Guests<Word> | null;
  readonly #sendToAll: SendToAll | null;
  readonly #schema: z.ZodType<ClientFrame | Word>;
  readonly #pages = new Map<PageConnection<ClientFrame | Word>, Reader>();
  readonly #stopListening: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #pending = new Pending(() => ++this.#frame);
  #flushTimer: NodeJS.Timeout | null = null;
  /** When the last flush began, and how long it took. */
  #flushedAtMs = -Infinity;
  #flushTookMs = 0;
  #frame = 0;

  constructor({ store, engine, guests, sendToAll = null }: StreamHubOptions<Word>) {
    this.#store = store;
    this.#engine = engine;
    this.#guests = guests ?? null;
    this.#sendToAll = sendToAll;
    this.#schema = guests ? z.union([pageFrame, guests.words]) : pageFrame;
    this.#stopListening = store.listen({
      onLine: (traceId, seq, line) => this.#enqueue(traceId, seq, line),
      onSummary: (summary) => {
        this.#pending.addSummary(summary);
        this.#schedule();
      },
    });
    this.#timers = [
      setInterval(() => this.#dropStuck(), 1_000).unref(),
      setInterval(() => this.#heartbeat(), HEARTBEAT_MS).unref(),
    ];
  }

  get pageCount(): number {
    return this.#pages.size;
  }

  add({ socket, wire }: Line, reader: Reader = anybody): PageConnection<ClientFrame | Word> {
    const page = new PageConnection<ClientFrame | Word>(socket, this.#schema, wire);
    // What is waiting belongs to the pages that were there; the newcomer gets it with its `resume`.
    this.#flush();
    this.#pages.set(page, reader);
    page.send(
      encode({
        type: 'hello',
        version: TRACE_FORMAT_VERSION,
        engine: this.#engine(),
        traces: this.#store.summaries().filter(({ traceId }) => reader.maySee(traceId)),
      }),
    );
    socket.on('message', (data, isBinary) => this.#receive(page, data as Buffer, isBinary));
    // ws has closed the connection with the right code; the error needs no second answer.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#pages.delete(page);
      this.#guests?.leave(page);
    });
    return page;
  }

  /** The same to every page. */
  tell(outgoing: Outgoing): void {
    this.#flush(outgoing);
  }

  /** Where the learner's request stands in the line; null: none waits any more. */
  tellPlace(learner: string, ahead: number | null): void {
    const place = encode({ type: 'place', ahead });
    for (const [page, reader] of this.#pages) if (reader.learner === learner) page.send(place);
  }

  engineChanged(): void {
    this.tell(encode({ type: 'engine', engine: this.#engine() }));
  }

  close(): void {
    this.#stopListening();
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#flushTimer) clearTimeout(this.#flushTimer);
    for (const page of this.#pages.keys()) page.close(1001, 'the lab stops');
  }

  #enqueue(traceId: string, seq: number, line: string): void {
    if (this.#pages.size === 0) return;
    this.#pending.addLine(traceId, seq, line);
    this.#schedule();
  }

  #schedule(): void {
    this.#flushTimer ??= setTimeout(() => this.#flush(), this.#flushInMs());
  }

  #flushInMs(): number {
    const beatMs = Math.max(BATCH_MS, this.#flushTookMs * BEAT_OF_FLUSH);
    return Math.max(0, this.#flushedAtMs + beatMs - performance.now());
  }

  /** Everything that waits, and a word to all behind it: what is for a page goes in one piece. */
  #flush(word: Outgoing | null = null): void {
    if (this.#flushTimer) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const items = this.#pending.take();
    if (word) items.push({ traceId: null, outgoing: word });
    if (items.length === 0) return;
    this.#flushedAtMs = performance.now();
    for (let from = 0; from < items.length; from += PARTS_MAX)
      this.#send(items.slice(from, from + PARTS_MAX));
    const tookMs = performance.now() - this.#flushedAtMs;
    this.#flushTookMs += (tookMs - this.#flushTookMs) / 4;
  }

  #send(items: readonly Item[]): void {
    const round = new Broadcast(
      items.map(({ outgoing }) => outgoing),
      this.#sendToAll,
    );
    for (const [page, reader] of this.#pages) {
      let bits = 0;
      items.forEach((item, index) => {
        if (this.#mayGet(page, reader, item)) bits |= 1 << index;
      });
      round.add(page, bits);
    }
    round.send();
  }

  /** Notes what the page gets, or that it has missed it. */
  #mayGet(
    page: PageConnection<ClientFrame | Word>,
    reader: Reader,
    { traceId, events }: Item,
  ): boolean {
    if (traceId === null) return true;
    if (!reader.maySee(traceId) || (events && !page.hasResumed)) return false;
    if (page.isBehind) {
      page.missed.add(traceId);
      return false;
    }
    if (!events) return true;
    const gap = (page.sent.get(traceId) ?? 0) + 1 < events.firstSeq;
    if (gap) page.send(encode({ type: 'behind', traceId, seq: events.firstSeq - 1 }));
    page.expect(events.frame);
    page.sent.set(traceId, events.lastSeq);
    return true;
  }

  #receive(page: PageConnection<ClientFrame | Word>, data: Buffer, isBinary: boolean): void {
    const frame = page.parse(data, isBinary);
    if (!frame) return;
    if (!isPageFrame(frame)) this.#guests?.take(page, frame);
    else if (frame.type === 'ping') page.send(encode({ type: 'pong', t: frame.t }));
    else if (frame.type === 'resume') this.#resume(page, frame.have);
    else {
      page.acknowledge(frame.frame);
      if (page.missed.size > 0 && page.hasCaughtUp) this.#catchUp(page);
    }
  }

  #resume(page: PageConnection<ClientFrame | Word>, have: Readonly<Record<string, number>>): void {
    this.#flush();
    page.hasResumed = true;
    const wanted = new Map<string, number>();
    for (const traceId of this.#store.runningTraceIds()) wanted.set(traceId, 0);
    for (const [traceId, seq] of Object.entries(have)) wanted.set(traceId, seq);
    const reader = this.#pages.get(page);
    if (!reader) return;
    for (const [traceId, seq] of wanted)
      if (reader.maySee(traceId)) this.#sendFrom(page, traceId, seq);
  }

  #sendFrom(page: PageConnection<ClientFrame | Word>, traceId: string, have: number): void {
    const last = this.#store.lastSeq(traceId);
    if (last === 0) return;
    page.sent.set(traceId, last);
    // A page that claims more than there is has another lab's trace of that name: it must start anew.
    const lines = have > last ? null : this.#store.linesAfter(traceId, have);
    const sizeBytes = lines?.reduce((sum, line) => sum + line.length, 0) ?? 0;
    if (lines === null || sizeBytes > RESUME_LIMIT_BYTES) {
      page.send(encode({ type: 'behind', traceId, seq: last }));
    } else if (lines.length > 0) {
      const frame = ++this.#frame;
      page.expect(frame);
      page.send(encodeEvents(frame, traceId, lines));
    }
  }

  #catchUp(page: PageConnection<ClientFrame | Word>): void {
    this.#flush();
    const missed = [...page.missed];
    page.missed.clear();
    page.send(encode({ type: 'engine', engine: this.#engine() }));
    for (const traceId of missed) {
      const trace = this.#store.summary(traceId);
      if (!trace) continue;
      const seq = this.#store.lastSeq(traceId);
      page.send(encode({ type: 'trace', trace }));
      if (page.hasResumed) page.send(encode({ type: 'behind', traceId, seq }));
      page.sent.set(traceId, seq);
    }
  }

  #dropStuck(): void {
    for (const page of this.#pages.keys()) {
      if (page.stuckForMs > STUCK_LIMIT_MS) page.terminate();
      // It was skipped for full socket buffers alone, so no acknowledgement will come to wake it.
      else if (page.missed.size > 0 && page.hasCaughtUp) this.#catchUp(page);
    }
  }

  #heartbeat(): void {
    for (const page of this.#pages.keys()) {
      if (page.isAlive) page.ping();
      else page.terminate();
    }
  }
}
