/** What the lab and the page say to each other: JSON over one WebSocket, and one file format for recordings. */
import type { SequencedEvent } from './event.ts';

export const TRACE_FORMAT_VERSION = 1;

/** One command (or one request of a long-lived client) as a line in the list of runs. */
export interface TraceSummary {
  readonly traceId: string;
  /** The argv of the client joined for reading, or the request line. */
  readonly title: string;
  readonly argv: readonly string[] | null;
  /** Where it came from: this page's Send Request, another client of the socket, or a file. */
  readonly origin: 'page' | 'external' | 'recording';
  readonly state: 'running' | 'ended';
  readonly exitCode: number | null;
  /** The one wall-clock anchor of the trace: this instant on both clocks. */
  readonly anchor: { readonly mono: string; readonly unixNano: string };
  readonly eventCount: number;
  /** Traces that this one goes back to. */
  readonly links: readonly string[];
  /** Containers that the trace speaks of. */
  readonly containerIds: readonly string[];
}

export interface EngineStatus {
  /** False when this machine cannot start containers; `reason` says what is missing. */
  readonly canLaunch: boolean;
  readonly reason: string | null;
  readonly daemons: readonly {
    readonly actor: 'dockerd' | 'containerd';
    readonly pid: number | null;
    readonly state: 'starting' | 'running' | 'dead';
  }[];
  readonly dockerSocket: string;
  readonly limits: { readonly maxContainers: number; readonly runTimeoutMs: number };
}

/** Server → page. */
export type ServerFrame =
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly engine: EngineStatus;
      readonly traces: readonly TraceSummary[];
    }
  | { readonly type: 'engine'; readonly engine: EngineStatus }
  | { readonly type: 'trace'; readonly trace: TraceSummary }
  /** A batch, all of one trace, in order of `seq`. `frame` is what the client acknowledges. */
  | {
      readonly type: 'events';
      readonly frame: number;
      readonly traceId: string;
      readonly events: readonly SequencedEvent[];
    }
  /** The client was too slow (or asked for the past): fetch `GET /api/traces/{traceId}` and go on after `seq`. */
  | { readonly type: 'behind'; readonly traceId: string; readonly seq: number }
  /** A request of this reader waits for its turn: how many are ahead of it. Null: none waits any more. */
  | { readonly type: 'place'; readonly ahead: number | null }
  | { readonly type: 'pong'; readonly t: number };

/** Page → server. */
export type ClientFrame =
  | { readonly type: 'ack'; readonly frame: number }
  /** After a reconnection: what the page has, per trace, the highest gapless `seq`. */
  | { readonly type: 'resume'; readonly have: Readonly<Record<string, number>> }
  | { readonly type: 'ping'; readonly t: number };

/** First line of a `.trace.gz` (gzip of JSON lines); the other lines are `SequencedEvent`s. */
export interface TraceFileHeader {
  readonly format: 'engine-room-trace';
  readonly version: number;
  readonly summary: TraceSummary;
  readonly recordedAt: string;
  /** Kernel and architecture it was recorded on. */
  readonly machine: string;
  /** In the lab's own files: whose run it is. The label of the learner's containers says the same. */
  readonly learner?: string;
}
