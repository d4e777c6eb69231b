/** Writes a run as the file that `recorded-trace.ts` reads: gzip of JSON lines, a header and then the events. */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import {
  TRACE_FORMAT_VERSION,
  type TraceFileHeader,
  type TraceSummary,
} from '@engine-room/engine/protocol/trace/stream.ts';

export const headerOf = (summary: TraceSummary, machine: string): TraceFileHeader => ({
  format: 'engine-room-trace',
  version: TRACE_FORMAT_VERSION,
  summary: { ...summary, state: 'ended' },
  recordedAt: new Date(Number(BigInt(summary.anchor.unixNano) / 1_000_000n)).toISOString(),
  machine,
});

export const writeTrace = async (
  header: TraceFileHeader,
  events: readonly SequencedEvent[],
): Promise<Blob> => {
  const inOrder = [...events].sort((a, b) => a.seq - b.seq);
  const lines = [header, ...inOrder].map((line) => `${JSON.stringify(line)}\n`);
  const packed = new Blob(lines).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(packed).blob();
};
