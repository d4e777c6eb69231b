/** One trace as it grows: its events as JSON lines, numbered without gaps, and the facts that say when it is over. */
import { isClientActor, type DroppedEvent, type TraceEvent } from '../../protocol/trace/event.ts';
import type { TraceSummary } from '../../protocol/trace/stream.ts';
import { labEmitter } from '../lab-emitter.ts';
import { isClientExit, updateSummary } from './summary.ts';

/** A container can print for hours; what it prints is in its log, the trace keeps the beginning. */
export const TRACE_LIMIT_BYTES = 16 * 1024 * 1024;

export class TraceLog {
  summary: TraceSummary;
  /** Who alone may see it; null: everybody. */
  learner: string | null;
  /** Events `firstSeq …`; those before are in the file only. */
  lines: string[] = [];
  firstSeq: number;
  sizeBytes = 0;
  /** The total over the trace's life, which the limit is about. */
  totalBytes = 0;
  /** Highest `seq` that is safely in the file. */
  savedSeq: number;
  lastEventAtMs = Date.now();
  clientPid: number | null = null;
  outputBytes = 0;
  /** Events that came after the limit. */
  overflow = 0;
  readonly emitters = new Set<string>();
  #rootSpanId: string | null = null;
  #isOver = false;
  readonly #ids = new Set<string>();

  /** A trace that begins, or one whose events are in a file and which now goes on. */
  constructor(summary: TraceSummary, learner: string | null) {
    this.summary = summary;
    this.learner = learner;
    this.savedSeq = summary.eventCount;
    this.firstSeq = summary.eventCount + 1;
  }

  get lastSeq(): number {
    return this.firstSeq + this.lines.length - 1;
  }

  get rootSpanId(): string | null {
    return this.#rootSpanId;
  }

  /** The client has exited, or the request is answered: only stragglers are to come. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Gives the event its `seq` and keeps it. False when it was already told (by another process) or is too much. */
  append(event: TraceEvent, json = JSON.stringify(event)): boolean {
    if (this.#ids.has(event.id)) return false;
    this.lastEventAtMs = Date.now();
    if (event.type === 'output') this.outputBytes += event.sizeBytes;
    if (this.totalBytes > TRACE_LIMIT_BYTES && !isEssential(event)) {
      this.overflow++;
      return false;
    }
    this.#notice(event);
    const seq = this.lastSeq + 1;
    const line = `${json.slice(0, -1)},"seq":${seq}}`;
    this.lines.push(line);
    this.#ids.add(event.id);
    this.sizeBytes += line.length;
    this.totalBytes += line.length;
    this.emitters.add(`${event.emitter.actor}/${event.emitter.pid}`);
    this.summary = updateSummary(this.summary, event, this.#rootSpanId);
    return true;
  }

  /** The lines after `seq`, or null when they are no longer in memory. */
  after(seq: number): readonly string[] | null {
    return seq + 1 < this.firstSeq ? null : this.lines.slice(Math.max(0, seq + 1 - this.firstSeq));
  }

  /** Forgets what the file has. Precondition: everything is saved. */
  forgetSaved(): void {
    this.firstSeq = this.lastSeq + 1;
    this.lines = [];
    this.sizeBytes = 0;
    this.#ids.clear();
  }

  #notice(event: TraceEvent): void {
    if (event.type === 'spanStarted') {
      if (this.#rootSpanId === null) this.#rootSpanId = event.spanId;
      if (event.spanId === this.#rootSpanId || event.parentSpanId === null) this.#isOver = false;
    }
    if (event.type === 'process' && isClientActor(event.actor)) this.clientPid = event.process.pid;
    if (isClientExit(event)) this.#isOver = true;
    if (event.type === 'spanEnded' && event.spanId === this.#rootSpanId) this.#isOver = true;
  }
}

/** Without these the drawing would be wrong, not only incomplete: they come in small numbers. */
const isEssential = (event: TraceEvent): boolean =>
  event.type === 'process' ||
  event.type === 'dropped' ||
  event.type === 'spanEnded' ||
  event.level === 'chapter';

/** Says how much did not fit, and counts anew. */
export const overflowEvent = (log: TraceLog): DroppedEvent => {
  const count = log.overflow;
  log.overflow = 0;
  return {
    type: 'dropped',
    id: `dropped/limit/${log.lastSeq}`,
    traceId: log.summary.traceId,
    cause: null,
    mono: process.hrtime.bigint().toString(),
    level: 'step',
    emitter: labEmitter(),
    actor: 'lab',
    pid: process.pid,
    count,
  };
};
