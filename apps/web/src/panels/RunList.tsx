/** All runs: made here, made by any other client of the socket, or recorded. */
import { lazy, Suspense, useMemo } from 'react';
import { usePlayhead, useReader, useTraces } from '../hooks.ts';
import { chooseRun, stopRun } from '../session.ts';
import type { Run } from '../trace/trace-store.ts';

const RunTools = lazy(() =>
  import('./RunTools.tsx').then(({ RunTools: component }) => ({ default: component })),
);

const ORIGINS = {
  page: 'from this page',
  external: 'another client',
  recording: 'recorded',
} as const;

export const RunList = () => {
  const runs = useTraces((state) => state.runs);
  const shown = usePlayhead((state) => state.traceId);
  const newestFirst = useMemo(() => [...runs.values()].sort(byTime), [runs]);
  return (
    <section className="runs" aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      <Suspense>
        <RunTools run={shown === null ? undefined : runs.get(shown)} />
      </Suspense>
      {newestFirst.length === 0 ? (
        <p className="muted">
          None yet. Send a request, or use the engine’s socket from a terminal.
        </p>
      ) : (
        <ul>
          {newestFirst.map((run) => (
            <RunLine key={run.summary.traceId} run={run} isShown={run.summary.traceId === shown} />
          ))}
        </ul>
      )}
    </section>
  );
};

const RunLine = ({ run, isShown }: { run: Run; isShown: boolean }) => {
  const { traceId, title, origin, state, exitCode } = run.summary;
  const isRunning = state === 'running';
  const injected = useReader((reader) => reader.injected.get(traceId));
  return (
    <li data-origin={origin}>
      <button
        type="button"
        className="run"
        aria-current={isShown ? 'true' : undefined}
        onClick={() => chooseRun(traceId)}
      >
        <span className="mono run-title">{title === '' ? 'a request' : title}</span>
        <span className="run-facts">
          <span className="run-origin">{ORIGINS[origin]}</span>
          <span data-tone={isRunning ? 'wait' : exitCode === 0 || exitCode === null ? 'ok' : 'bad'}>
            {isRunning ? '◐ running' : exitCode === null ? 'ended' : `exit ${exitCode}`}
          </span>
        </span>
      </button>
      {isShown && injected && injected.length > 0 && (
        <p className="run-added">
          The lab added <span className="mono">{injected.join(' ')}</span>
        </p>
      )}
      {isRunning && origin === 'page' && (
        <button type="button" className="quiet" onClick={() => void stopRun(traceId)}>
          Stop
        </button>
      )}
    </li>
  );
};

/** Recordings last: they are from some other day. */
function byTime(a: Run, b: Run): number {
  const recorded =
    Number(a.summary.origin === 'recording') - Number(b.summary.origin === 'recording');
  if (recorded !== 0) return recorded;
  return Number(BigInt(b.summary.anchor.unixNano) - BigInt(a.summary.anchor.unixNano));
}
