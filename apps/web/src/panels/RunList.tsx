/** All runs: made here, made by any other client of the socket, or recorded. */
import { useMemo } from 'react';
import { t } from '../messages/catalogue.ts';
import { runTitle } from '../model/caption.ts';
import { usePlayhead, useReader, useTraces } from '../hooks.ts';
import { chooseRun, stopRun } from '../session.ts';
import { ContainerList } from './ContainerList.tsx';
import { RunTools } from './RunTools.tsx';
import { DOWN, useRoving } from '../ui/use-roving.ts';
import type { Run } from '../trace/trace-store.ts';

export const RunList = () => {
  const runs = useTraces((state) => state.runs);
  const shown = usePlayhead((state) => state.traceId);
  const roving = useRoving<HTMLUListElement>('.run', DOWN);
  const newestFirst = useMemo(() => [...runs.values()].sort(byTime), [runs]);
  return (
    <section className="runs" aria-labelledby="runs-title">
      <h2 id="runs-title">{t().runs.title}</h2>
      <RunTools run={shown === null ? undefined : runs.get(shown)} />
      {newestFirst.length === 0 ? (
        <p className="muted">{t().runs.none}</p>
      ) : (
        <ul {...roving}>
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
        <span className="mono run-title">{runTitle(title)}</span>
        <span className="run-facts">
          <span className="run-origin">{t().runs[origin]}</span>
          <span data-tone={isRunning ? 'wait' : exitCode === 0 || exitCode === null ? 'ok' : 'bad'}>
            {isRunning
              ? `◐ ${t().runs.running}`
              : exitCode === null
                ? t().runs.ended
                : t().runs.exit(exitCode)}
          </span>
        </span>
      </button>
      {isShown && injected && injected.length > 0 && (
        <p className="run-added">
          {t().runs.added} <span className="mono">{injected.join(' ')}</span>
        </p>
      )}
      {isShown && <ContainerList />}
      {isRunning && origin === 'page' && (
        <button type="button" className="quiet" onClick={() => void stopRun(traceId)}>
          {t().runs.stop}
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
