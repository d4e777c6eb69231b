/** What has happened since the last flush, as the messages that the pages will get of it. */
import type { ServerFrame, TraceSummary } from '../../protocol/trace/stream.ts';
import { Outgoing } from './outgoing.ts';

/** A message for those who may see the trace; null: for all. */
export interface Item {
  readonly traceId: string | null;
  readonly outgoing: Outgoing;
  readonly events?: { readonly frame: number; readonly firstSeq: number; readonly lastSeq: number };
}

export class Pending {
  readonly #nextFrame: () => number;
  #batches = new Map<string, { readonly firstSeq: number; readonly lines: string[] }>();
  #summaries = new Map<string, TraceSummary>();

  constructor(nextFrame: () => number) {
    this.#nextFrame = nextFrame;
  }

  addLine(traceId: string, seq: number, line: string): void {
    const batch = this.#batches.get(traceId);
    if (batch) batch.lines.push(line);
    else this.#batches.set(traceId, { firstSeq: seq, lines: [line] });
  }

  /** Of several, the last one counts. */
  addSummary(summary: TraceSummary): void {
    this.#summaries.set(summary.traceId, summary);
  }

  /** A run's summary stands before its events. */
  take(): Item[] {
    const summaries = [...this.#summaries].map(([traceId, trace]): Item => {
      return { traceId, outgoing: encode({ type: 'trace', trace }) };
    });
    const batches = [...this.#batches].map(([traceId, { firstSeq, lines }]): Item => {
      const frame = this.#nextFrame();
      const events = { frame, firstSeq, lastSeq: firstSeq + lines.length - 1 };
      return { traceId, outgoing: encodeEvents(frame, traceId, lines), events };
    });
    this.#summaries = new Map();
    this.#batches = new Map();
    return [...summaries, ...batches];
  }
}

export const encode = (frame: ServerFrame): Outgoing => new Outgoing(frame);

/** The events are JSON already; taking them apart again would cost the most of all. */
export const encodeEvents = (frame: number, traceId: string, lines: readonly string[]): Outgoing =>
  Outgoing.ofJson(
    `{"type":"events","frame":${frame},"traceId":"${traceId}","events":[${lines.join(',')}]}`,
  );
