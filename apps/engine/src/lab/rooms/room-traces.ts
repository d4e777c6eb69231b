/** The runs of a room in a lab that serves followers: what the host has sent, without holes, within bounds. */
import type { TraceSummary } from '../../protocol/trace/stream.ts';
import { encodeTraceFile, newHeader } from '../collector/trace-file.ts';
import type { TraceListener } from '../collector/trace-store.ts';
import type { TraceSource } from '../gateway/stream-hub.ts';

const TRACE_LIMIT = 8;
/** The host's own limit of a trace, and what its last events may add. */
const TRACE_LIMIT_BYTES = 24 * 1024 * 1024;

interface Kept {
  summary: TraceSummary;
  readonly lines: string[];
  sizeBytes: number;
  /** The trace as a file, as long as it has not grown. */
  file: Promise<Buffer> | null;
}

export class RoomTraces implements TraceSource {
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<Pick<TraceListener, 'onLine' | 'onSummary'>>();

  listen(listener: Pick<TraceListener, 'onLine' | 'onSummary'>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteSummary(summary: TraceSummary): void {
    const kept = this.#kept.get(summary.traceId);
    if (kept) {
      kept.summary = summary;
      kept.file = null;
    } else {
      this.#kept.set(summary.traceId, { summary, lines: [], sizeBytes: 0, file: null });
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > TRACE_LIMIT && oldest !== undefined) this.#kept.delete(oldest);
    }
    for (const { onSummary } of this.#listeners) onSummary?.(summary);
  }

  /** False when something before it is missing: then the host has to be asked. */
  add(traceId: string, firstSeq: number, lines: readonly string[]): boolean {
    const kept = this.#kept.get(traceId);
    if (!kept || firstSeq > kept.lines.length + 1) return false;
    for (const line of lines.slice(kept.lines.length + 1 - firstSeq)) {
      if (kept.sizeBytes > TRACE_LIMIT_BYTES) return true;
      kept.lines.push(line);
      kept.sizeBytes += line.length;
      kept.file = null;
      for (const { onLine } of this.#listeners) onLine?.(traceId, kept.lines.length, line);
    }
    return true;
  }

  get have(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#kept].map(([traceId, { lines }]) => [traceId, lines.length]),
    );
  }

  summaries(): readonly TraceSummary[] {
    return [...this.#kept.values()].map(({ summary }) => summary).reverse();
  }

  summary(traceId: string): TraceSummary | undefined {
    return this.#kept.get(traceId)?.summary;
  }

  /** All of them: a follower has to have what the presenter may go back to. */
  runningTraceIds(): readonly string[] {
    return [...this.#kept.keys()];
  }

  lastSeq(traceId: string): number {
    return this.#kept.get(traceId)?.lines.length ?? 0;
  }

  linesAfter(traceId: string, seq: number): readonly string[] | null {
    return this.#kept.get(traceId)?.lines.slice(seq) ?? null;
  }

  /** Packed once for all who come late. */
  file(traceId: string): Promise<Buffer> | null {
    const kept = this.#kept.get(traceId);
    if (!kept) return null;
    kept.file ??= encodeTraceFile(newHeader(kept.summary), kept.lines);
    return kept.file;
  }
}
