/**
 * Is this really an event? A trace file may come from anywhere, so each line is checked against
 * `protocol/trace/event-shape.ts` before the model believes it.
 */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import {
  eventBase,
  isEventType,
  traceEvent,
} from '@engine-room/engine/protocol/trace/event-shape.ts';
import {
  count,
  isRecord,
  listOf,
  Mismatch,
  number,
  object,
  oneOf,
  orNull,
  text,
  textLike,
  type Shape,
} from '@engine-room/engine/protocol/trace/shape.ts';
import type { TraceFileHeader, TraceSummary } from '@engine-room/engine/protocol/trace/stream.ts';

import { readable } from './readable.ts';

export type ParsedEvent =
  | { readonly event: SequencedEvent }
  /** `unknownKind`: well-formed, but of a vocabulary newer than this page's. */
  | { readonly problem: 'damaged' | 'unknownKind' };

export const parseEvent = (value: unknown): ParsedEvent => {
  if (!isRecord(value) || !fits(count(), value['seq'])) return { problem: 'damaged' };
  if (fits(traceEvent, value)) return { event: readable(value) as unknown as SequencedEvent };
  const { type } = value;
  const isNewer = typeof type === 'string' && !isEventType(type) && fits(eventBase, value);
  return { problem: isNewer ? 'unknownKind' : 'damaged' };
};

const words = listOf(text());
const decimal = textLike(/^\d{1,20}$/);

const traceSummary = object<TraceSummary>({
  traceId: textLike(/^[0-9a-f]{32}$/),
  title: text(),
  argv: orNull(words),
  origin: oneOf('page', 'external', 'recording'),
  state: oneOf('running', 'ended'),
  exitCode: orNull(number),
  anchor: object<TraceSummary['anchor']>({ mono: decimal, unixNano: decimal }),
  eventCount: count(),
  links: words,
  containerIds: words,
});

const fileHeader = object<TraceFileHeader>(
  {
    format: oneOf('engine-room-trace'),
    version: count(),
    summary: traceSummary,
    recordedAt: text(),
    machine: text(),
  },
  { learner: text() },
);

export const isSummary = (value: unknown): value is TraceSummary => fits(traceSummary, value);
export const isFileHeader = (value: unknown): value is TraceFileHeader => fits(fileHeader, value);

function fits(shape: Shape<unknown>, value: unknown): boolean {
  try {
    shape(value);
    return true;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}
