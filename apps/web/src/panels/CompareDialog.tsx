/** Two runs side by side: the steps that both took and those that only one took, and how they ended. */
import '../styles/compare.css';
import { useEffect, useMemo, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import { compareEnds, compareSteps } from '../model/compare.ts';
import { runTitle } from '../model/caption.ts';
import { offsetMs } from '../model/time-words.ts';
import { useModelVersion, usePlayhead, useTraces } from '../hooks.ts';
import { seekEvent } from '../playback/playhead.ts';
import { closeDialog, select } from '../reader-store.ts';
import { makeWhole } from '../session.ts';
import { Dialog } from './Dialog.tsx';
import type { Run } from '../trace/trace-store.ts';

const close = (): void => closeDialog('compare');

export const CompareDialog = () => (
  <Dialog name="compare" title={t().compare.title}>
    <Comparison />
  </Dialog>
);

const titleOf = ({ summary }: Run): string =>
  `${runTitle(summary.title)} (${summary.traceId.slice(0, 6)})`;

const Comparison = () => {
  const traceId = usePlayhead((state) => state.traceId);
  const runs = useTraces((state) => state.runs);
  const shown = traceId === null ? undefined : runs.get(traceId);
  const others = [...runs.values()].filter(({ summary }) => summary.traceId !== traceId);
  const [chosen, setChosen] = useState(others[0]?.summary.traceId ?? '');
  const other = runs.get(chosen);
  // A run that is over is fetched when somebody looks at it.
  useEffect(() => makeWhole(chosen), [chosen]);
  return (
    <>
      {!shown || others.length === 0 ? (
        <p>{t().compare.onlyOne}</p>
      ) : (
        <>
          <p className="mono breaks">A: {titleOf(shown)}</p>
          <label>
            B:{' '}
            <select value={chosen} onChange={({ target }) => setChosen(target.value)}>
              {others.map((run) => (
                <option key={run.summary.traceId} value={run.summary.traceId}>
                  {titleOf(run)}
                </option>
              ))}
            </select>
          </label>
          {other && <Differences left={shown} right={other} />}
        </>
      )}
      <p className="dialog-buttons">
        <button type="button" className="primary" onClick={close}>
          {t().compare.close}
        </button>
      </p>
    </>
  );
};

const Differences = ({ left, right }: { left: Run; right: Run }) => {
  useModelVersion();
  const level = usePlayhead((state) => state.level);
  const [onlyDifferent, setOnlyDifferent] = useState(true);
  const versions = `${left.model.version} ${right.model.version}`;
  const steps = useMemo(() => {
    void versions;
    return compareSteps(left.model, right.model, level);
  }, [left.model, right.model, level, versions]);
  const ends = compareEnds(left.model, right.model);
  const different = steps.filter((step) => step.left === null || step.right === null);
  const rows = onlyDifferent ? different : steps;
  const go = (id: string): void => {
    seekEvent(id);
    select({ event: id });
    close();
  };
  return (
    <>
      <p role="status">{t().compare.counts(steps.length - different.length, different.length)}</p>
      <label className="compare-filter">
        <input
          type="checkbox"
          checked={onlyDifferent}
          onChange={({ target }) => setOnlyDifferent(target.checked)}
        />
        {t().compare.onlyDifferent}
      </label>
      <div className="compare-rows" tabIndex={0} role="group" aria-label={t().compare.rows}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t().compare.a}</th>
              <th scope="col">{t().compare.step}</th>
              <th scope="col">{t().compare.b}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((step) => (
              <tr
                key={(step.left ?? step.right)?.event.id}
                data-side={step.right === null ? 'left' : step.left === null ? 'right' : 'both'}
              >
                <td className="mono">{step.left ? `+${offsetMs(step.left.at)}` : '—'}</td>
                <td>
                  {step.right === null
                    ? `${t().compare.onlyA} `
                    : step.left === null
                      ? `${t().compare.onlyB} `
                      : ''}
                  {step.left ? (
                    <button
                      type="button"
                      className="compare-go"
                      onClick={() => go(step.left?.event.id ?? '')}
                    >
                      {step.words}
                    </button>
                  ) : (
                    step.words
                  )}
                </td>
                <td className="mono">{step.right ? `+${offsetMs(step.right.at)}` : '—'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h3>{t().compare.ended}</h3>
      {ends.length === 0 ? (
        <p className="muted">{t().compare.alike}</p>
      ) : (
        <dl className="facts">
          {ends.map(({ name, left: a, right: b }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">
                {a} → {b}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
};
