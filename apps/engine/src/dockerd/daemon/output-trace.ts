/**
 * Tells the trace what a container wrote. The trace is for watching, the log for keeping: a flood is told in samples.
 */
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import { RAW_LIMIT_BYTES } from '../../protocol/trace/event.ts';
import { spanStartedId } from '../../protocol/trace/event-id.ts';
import type { SpanContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';

/** Up to here every chunk is told. */
const FULL_BYTES = 256 * 1024;
/** Behind that, one chunk in so many milliseconds, and the last one. */
const SAMPLE_MS = 100;
/** The first chunks are steps; a chatty program's others are details. */
const STEPS = 3;

/** A container, or one more process in it. */
export interface OutputWriter {
  readonly containerId: string;
  readonly isTerminal: boolean;
  /** The trace that started it. */
  readonly context: () => SpanContext | null;
}

export const outputTrace = (
  tracer: Tracer,
  writer: OutputWriter,
): ((stream: StreamName, bytes: Buffer, offset: number) => void) => {
  let told = 0;
  let count = 0;
  let lastAt = -Infinity;
  /** The newest chunk of each stream that was left out: when the flood ends, its end is told. */
  const leftOut = new Map<StreamName, Chunk>();
  let timer: NodeJS.Timeout | null = null;

  const tell = (stream: StreamName, { kept, sizeBytes, offset }: Chunk): void => {
    const context = writer.context();
    if (!context) return;
    lastAt = performance.now();
    leftOut.delete(stream);
    told += kept.length;
    count += 1;
    tracer.emit({
      type: 'output',
      traceId: context.traceId,
      cause: spanStartedId(context.spanId),
      level: count <= STEPS ? 'step' : 'detail',
      containerId: writer.containerId,
      stream: writer.isTerminal ? 'tty' : stream,
      offset,
      base64: kept.toString('base64'),
      sizeBytes,
      truncated: kept.length < sizeBytes,
      source: __SOURCE__,
    });
  };
  const tellEnds = (): void => {
    timer = null;
    for (const [stream, chunk] of leftOut) tell(stream, chunk);
  };

  return (stream, bytes, offset) => {
    const kept = bytes.subarray(0, RAW_LIMIT_BYTES);
    const chunk = { kept, sizeBytes: bytes.length, offset };
    if (told <= FULL_BYTES || performance.now() - lastAt >= SAMPLE_MS) return tell(stream, chunk);
    // The pump uses its buffer again.
    leftOut.set(stream, { ...chunk, kept: Buffer.from(kept) });
    timer ??= setTimeout(tellEnds, SAMPLE_MS).unref();
  };
};

interface Chunk {
  readonly kept: Buffer;
  readonly sizeBytes: number;
  readonly offset: number;
}
