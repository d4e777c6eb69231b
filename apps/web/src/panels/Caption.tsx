/**
 * Where we are, in one sentence. The same words go to screen readers, at most one announcement in 1.2 seconds and
 * always the last one: what was skipped by fast playing is skipped here, where it ends is said.
 */
import { useEffect, useRef, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import { isFailure, markersOf } from '../model/markers.ts';
import type { RunModel } from '../model/run-model.ts';
import { offsetMs } from '../model/time-words.ts';
import { catchUp, seekEvent, stepsBehind } from '../playback/playhead.ts';
import { usePlayhead, useReader, useStepEvent, useTraces } from '../hooks.ts';
import { sentenceOf, whereWords } from './caption-words.ts';

const QUIET_MS = 1_200;

/** Where others lead, nobody runs after the run on their own. */
export const Caption = ({ mayCatchUp = false }: { mayCatchUp?: boolean }) => {
  const step = usePlayhead((state) => state.step);
  const level = usePlayhead((state) => state.level);
  const model = usePlayhead((state) => state.model);
  const traceId = usePlayhead((state) => state.traceId);
  const run = useTraces(({ runs }) => (traceId === null ? undefined : runs.get(traceId)));
  const placed = useStepEvent();
  const overview = usePlayhead((state) => state.overview);
  const isOpening = useReader((state) => state.isOpening) && !run;
  const sentence = isOpening
    ? t().caption.opening
    : sentenceOf({ model, level, step, overview }, run);
  const failed = !overview?.isOver && placed !== undefined && isFailure(placed.event);
  const isOver =
    run?.summary.state === 'ended' &&
    step === model.steps(level).count &&
    (run.summary.exitCode ?? 0) !== 0;
  const where = whereWords({ model, level, step, overview });
  const said = useRareWords(`${where} ${sentence}`);

  return (
    <section className="caption" aria-label={t().caption.region}>
      <div className="caption-line" data-testid="caption">
        <p className="caption-where">
          <b>{where === '' ? t().caption.noSteps : where}</b>
          <span className="mono">{placed ? t().caption.real(offsetMs(placed.at)) : ''}</span>
        </p>
        <p className="caption-sentence" data-testid="caption-sentence">
          {failed && <span aria-hidden="true">✕ </span>}
          {sentence}
          {isOver && <WhyItFailed model={model} />}
        </p>
        {mayCatchUp && <Behind />}
      </div>
      {run?.caveat && <p className="caption-caveat">{t().caption.caveat(run.caveat)}</p>}
      {run?.problem && <p className="caption-caveat">{t().caption.notFetched(run.problem)}</p>}
      <p className="sr-only" aria-live="polite">
        {said}
      </p>
    </section>
  );
};

/** A live run is further than its reader. Beside the sentence there is room for it at any width. */
const Behind = () => {
  const behind = usePlayhead((state) => (state.isLive ? stepsBehind(state) : 0));
  if (behind < 2) return null;
  return (
    <button type="button" className="chip caption-behind" data-tone="wait" onClick={catchUp}>
      {t().transport.behind(behind)}
    </button>
  );
};

/** A run that failed leads to the first thing that went wrong in it. */
const WhyItFailed = ({ model }: { model: RunModel }) => {
  const first = markersOf(model).find(({ kind }) => kind === 'failure');
  if (!first) return null;
  return (
    <span className="caption-why">
      <button type="button" className="quiet" onClick={() => seekEvent(first.event.id)}>
        {t().caption.why}
      </button>
    </span>
  );
};

/** The words, but never more often than one can listen. */
function useRareWords(words: string): string {
  const [said, setSaid] = useState('');
  const saidAt = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, saidAt.current + QUIET_MS - performance.now());
    const timer = setTimeout(() => {
      saidAt.current = performance.now();
      setSaid(words);
    }, wait);
    return () => clearTimeout(timer);
  }, [words]);
  return said;
}
