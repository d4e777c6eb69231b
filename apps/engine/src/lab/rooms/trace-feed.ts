/** Which runs a room sees: those that its presenter has shown, from their first event on, and no other. */
import type { TraceSummary } from '../../protocol/trace/stream.ts';
import { decodeTraceFile } from '../collector/trace-file.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import { partsOf, type News } from './bus-messages.ts';

/** One message of the bus for what happens at once; a frame of the screen it becomes where pages are. */
const BATCH_MS = 2;
/** A presenter goes back and forth between a few. */
const TRACE_LIMIT = 8;

interface Fed {
  summary: TraceSummary;
  /** The whole run, when it is a recording of the presenter's; else the store has it. */
  readonly recorded: readonly string[] | null;
  /** Events that are not sent yet; a run grows at its end. */
  pending: { readonly firstSeq: number; readonly lines: string[] } | null;
}

export class TraceFeed {
  readonly #store: TraceStore;
  readonly #publish: (news: News) => void;
  readonly #fed = new Map<string, Fed>();
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(store: TraceStore, publish: (news: News) => void) {
    this.#store = store;
    this.#publish = publish;
    this.#stopListening = store.listen({
      onLine: (traceId, seq, line) => this.#grow(traceId, seq, line),
      onSummary: (summary) => {
        const fed = this.#fed.get(summary.traceId);
        if (!fed || fed.recorded) return;
        fed.summary = summary;
        this.#publish({ kind: 'trace', trace: summary });
      },
    });
  }

  close(): void {
    this.#stopListening();
    if (this.#timer) clearTimeout(this.#timer);
  }

  has(traceId: string): boolean {
    return this.#fed.has(traceId);
  }

  get seqs(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#fed].map(([traceId, { recorded, pending }]) => [
        traceId,
        recorded?.length ?? (pending ? pending.firstSeq - 1 : this.#store.lastSeq(traceId)),
      ]),
    );
  }

  /** Begins to show a run of this engine. False when the presenter has none of that name. */
  async show(traceId: string, learner: string): Promise<boolean> {
    if (this.#fed.has(traceId)) return true;
    const summary = this.#store.summary(traceId);
    if (!summary || !this.#store.maySee(traceId, learner)) return false;
    this.#add(traceId, { summary, recorded: null, pending: null });
    await this.sendAfter(traceId, 0, this.#publish);
    return true;
  }

  /** Begins to show a run that the presenter has as a file. */
  showRecording(summary: TraceSummary, lines: readonly string[]): void {
    const recording: TraceSummary = {
      ...summary,
      origin: 'recording',
      state: 'ended',
      eventCount: lines.length,
    };
    this.#add(summary.traceId, { summary: recording, recorded: lines, pending: null });
    void this.sendAfter(summary.traceId, 0, this.#publish);
  }

  /** Everything after what the asker has, of every run. */
  async sendAll(
    have: Readonly<Record<string, number>>,
    publish: (news: News) => void,
  ): Promise<void> {
    for (const traceId of this.#fed.keys())
      await this.sendAfter(traceId, have[traceId] ?? 0, publish);
  }

  async sendAfter(traceId: string, have: number, publish: (news: News) => void): Promise<void> {
    const fed = this.#fed.get(traceId);
    if (!fed) return;
    publish({ kind: 'trace', trace: fed.summary });
    const lines =
      fed.recorded?.slice(have) ??
      this.#store.linesAfter(traceId, have) ??
      (await this.#linesInFile(traceId, have));
    for (const part of partsOf(traceId, have + 1, lines)) publish(part);
  }

  async #linesInFile(traceId: string, have: number): Promise<readonly string[]> {
    const file = await this.#store.file(traceId);
    return file ? (await decodeTraceFile(file)).lines.slice(have) : [];
  }

  #add(traceId: string, fed: Fed): void {
    this.#fed.delete(traceId);
    this.#fed.set(traceId, fed);
    const [oldest] = this.#fed.keys();
    if (this.#fed.size > TRACE_LIMIT && oldest !== undefined) this.#fed.delete(oldest);
  }

  #grow(traceId: string, seq: number, line: string): void {
    const fed = this.#fed.get(traceId);
    if (!fed || fed.recorded) return;
    if (fed.pending) fed.pending.lines.push(line);
    else fed.pending = { firstSeq: seq, lines: [line] };
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  #flush(): void {
    this.#timer = null;
    for (const [traceId, fed] of this.#fed) {
      const { pending } = fed;
      if (!pending) continue;
      fed.pending = null;
      for (const part of partsOf(traceId, pending.firstSeq, pending.lines)) this.#publish(part);
    }
  }
}
