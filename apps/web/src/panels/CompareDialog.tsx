/** Two runs side by side: the steps that both took and those that only one took, and how they ended. */
import '../styles/run-tools.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import { compareEnds, compareSteps } from '../model/compare.ts';
import { offsetMs } from '../model/time-words.ts';
import { useModelVersion, usePlayhead, useReader, useTraces } from '../hooks.ts';
import { seekEvent } from '../playback/playhead.ts';
import { readerStore, select } from '../reader-store.ts';
import { makeWhole } from '../session.ts';
import type { Run } from '../trace/trace-store.ts';

const close = (): void => readerStore.setState({ isCompareOpen: false });

export const CompareDialog = () => {
  const isOpen = useReader((state) => state.isCompareOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="compare" aria-labelledby="compare-title" onClose={close}>
      {isOpen && <Comparison />}
    </dialog>
  );
};

const titleOf = ({ summary }: Run): string =>
  `${summary.title === '' ? 'a request' : summary.title} (${summary.traceId.slice(0, 6)})`;

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
      <h2 id="compare-title">Compare two runs</h2>
      {!shown || others.length === 0 ? (
        <p>There is only one run here. Send another request, or open a recorded run.</p>
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
      <p className="break-buttons">
        <button type="button" className="primary" onClick={close}>
          Close
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
      <p role="status">
        {steps.length - different.length} steps in both, {different.length} in one of them only.
      </p>
      <label className="compare-filter">
        <input
          type="checkbox"
          checked={onlyDifferent}
          onChange={({ target }) => setOnlyDifferent(target.checked)}
        />
        Only what differs
      </label>
      <div className="compare-rows" tabIndex={0} role="group" aria-label="Steps of both runs">
        <table>
          <thead>
            <tr>
              <th scope="col">A, ms</th>
              <th scope="col">Step</th>
              <th scope="col">B, ms</th>
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
                  {step.right === null ? 'Only in A: ' : step.left === null ? 'Only in B: ' : ''}
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
      <h3>How they ended</h3>
      {ends.length === 0 ? (
        <p className="muted">Alike.</p>
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
