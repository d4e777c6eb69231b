/** What labs say to each other about a room. One of them has the engine and the presenter: the host. */
import type { RoomPoint, RoomState } from '../../protocol/room/room.ts';
import type { EngineStatus, TraceSummary } from '../../protocol/trace/stream.ts';
import type { Presence } from './room.ts';

/** Host → all who serve the room, or to the one that has asked. */
export type News =
  | {
      readonly kind: 'room';
      readonly room: RoomState;
      readonly elapsedMs: number;
      readonly engine: EngineStatus;
      /** How far each trace is, so that who has missed the last events of one notices. */
      readonly seqs: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'trace'; readonly trace: TraceSummary }
  /** Events `firstSeq …`, each as its JSON. */
  | {
      readonly kind: 'events';
      readonly traceId: string;
      readonly firstSeq: number;
      readonly lines: readonly string[];
    }
  | { readonly kind: 'point'; readonly at: RoomPoint | null }
  | {
      readonly kind: 'you';
      readonly device: string;
      readonly answer: string | null;
      readonly place: number | null;
      readonly note: string | null;
    };

/** Who serves the room → host. */
export type ReportBody =
  | { readonly kind: 'sync'; readonly have: Readonly<Record<string, number>> }
  | { readonly kind: 'presence'; readonly presence: Presence }
  /** A device is there (again): what is its own? */
  | { readonly kind: 'device'; readonly device: string }
  | {
      readonly kind: 'answer';
      readonly device: string;
      readonly poll: string;
      readonly say: string;
    }
  | { readonly kind: 'ask'; readonly device: string; readonly offer: number }
  | { readonly kind: 'click'; readonly clicker: string; readonly direction: 1 | -1 };

export type Report = ReportBody & { readonly replica: string };

export const subjectsOf = (
  code: string,
): {
  readonly news: string;
  readonly reports: string;
  readonly to: (replica: string) => string;
} => ({
  news: `engine-room.${code}.news`,
  reports: `engine-room.${code}.reports`,
  to: (replica) => `engine-room.${code}.to.${replica}`,
});

/** A NATS server takes 1 MiB a message; JSON in JSON grows by its quotes. */
const PART_BYTES = 256 * 1024;

/** Cuts lines into parts that any broker takes. A line itself is at most 1 MiB, and those are rare. */
export const partsOf = (
  traceId: string,
  firstSeq: number,
  lines: readonly string[],
): readonly News[] => {
  const parts: News[] = [];
  let from = 0;
  let size = 0;
  lines.forEach((line, index) => {
    if (size > 0 && size + line.length > PART_BYTES) {
      parts.push({
        kind: 'events',
        traceId,
        firstSeq: firstSeq + from,
        lines: lines.slice(from, index),
      });
      from = index;
      size = 0;
    }
    size += line.length;
  });
  if (from < lines.length)
    parts.push({ kind: 'events', traceId, firstSeq: firstSeq + from, lines: lines.slice(from) });
  return parts;
};
