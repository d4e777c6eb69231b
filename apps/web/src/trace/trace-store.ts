/**
 * Every run that the page knows of, and how it stands with the lab.
 *
 * connection, engine   written by connection.ts
 * ahead                written by connection.ts
 * runs, runOrder       written by connection.ts (live) and by openRecording (files)
 *
 * A run's model grows in place; `revision` counts every growth of any run, for those who watch.
 */
import { createStore } from 'zustand/vanilla';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type {
  EngineStatus,
  TraceFileHeader,
  TraceSummary,
} from '@engine-room/engine/protocol/trace/stream.ts';
import { RunModel } from '../model/run-model.ts';
import type { RecordedTrace } from './recorded-trace.ts';

export type Connection =
  /** Not asked yet. */
  | { readonly state: 'idle' }
  /** This page never has an engine: it was saved as a file, or built for a web host. */
  | { readonly state: 'recorded' }
  | { readonly state: 'connecting' }
  | { readonly state: 'live'; readonly roundTripMs: number | null }
  /** `retryAtMs` in the words of Date.now(). */
  | { readonly state: 'lost'; readonly retryAtMs: number; readonly wasLive: boolean }
  /** The lab wants a token that this page does not have. */
  | { readonly state: 'refused'; readonly reason: string };

export interface Run {
  readonly summary: TraceSummary;
  readonly model: RunModel;
  readonly caveat: string | null;
  /** Events may be missing: the file has to be fetched (again). */
  readonly isWhole: boolean;
  /** What failed when it was fetched. */
  readonly problem: string | null;
  /** Of a run that came as a file. */
  readonly header: TraceFileHeader | null;
}

export interface TraceState {
  readonly connection: Connection;
  readonly engine: EngineStatus | null;
  /** Requests that the lab takes before this reader's; null: none of the reader's waits. */
  readonly ahead: number | null;
  readonly runs: ReadonlyMap<string, Run>;
  readonly revision: number;
}

export const traceStore = createStore<TraceState>(() => ({
  connection: { state: 'idle' },
  engine: null,
  ahead: null,
  runs: new Map(),
  revision: 0,
}));

const update = (traceId: string, change: (run: Run | undefined) => Run): void => {
  traceStore.setState(({ runs, revision }) => {
    const next = new Map(runs);
    next.set(traceId, change(runs.get(traceId)));
    return { runs: next, revision: revision + 1 };
  });
};

/** A line of the list of runs is new or has changed. */
export const noteSummary = (summary: TraceSummary): void => {
  update(summary.traceId, (run) => ({
    summary,
    model: run?.model ?? new RunModel(),
    caveat: run?.caveat ?? null,
    isWhole: run?.isWhole ?? summary.state === 'running',
    problem: run?.problem ?? null,
    header: run?.header ?? null,
  }));
};

export const addEvents = (traceId: string, events: readonly SequencedEvent[]): void => {
  const run = traceStore.getState().runs.get(traceId);
  if (!run) return;
  run.model.add(events);
  update(traceId, (known) => ({ ...(known ?? run) }));
};

export const noteWhole = (
  traceId: string,
  isWhole: boolean,
  problem: string | null = null,
): void => {
  const run = traceStore.getState().runs.get(traceId);
  if (run) update(traceId, (known) => ({ ...(known ?? run), isWhole, problem }));
};

/** A recording becomes a run like any other. Answers its trace id. */
export const openRecording = ({ header, events, caveat }: RecordedTrace): string => {
  const model = new RunModel();
  model.add(events);
  const summary: TraceSummary = { ...header.summary, origin: 'recording', state: 'ended' };
  update(summary.traceId, () => ({ summary, model, caveat, isWhole: true, problem: null, header }));
  return summary.traceId;
};

/** The highest gapless `seq` of each live run: what a new connection need not send again. */
export const haveBySeq = (): Record<string, number> => {
  const have: Record<string, number> = {};
  for (const [traceId, { summary, model }] of traceStore.getState().runs) {
    if (summary.origin === 'recording' || model.length === 0) continue;
    have[traceId] = gaplessSeq(model);
  }
  return have;
};

/** `seq` counts from 1. */
function gaplessSeq(model: RunModel): number {
  const seen = new Set(model.order.placed.map(({ event }) => event.seq));
  let seq = 0;
  while (seen.has(seq + 1)) seq += 1;
  return seq;
}
