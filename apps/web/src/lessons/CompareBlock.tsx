/** What one said, beside what happened. The engine decides; nobody wrote the answer down. */
import { useEffect, useState, type ReactNode } from 'react';
import type { Prediction } from '@engine-room/engine/protocol/lesson/front-matter.ts';
import type { Value } from '@engine-room/engine/protocol/lesson/predicate.ts';
import {
  isSame,
  questionsOfPrediction,
  truthOf,
} from '@engine-room/engine/protocol/lesson/questions.ts';
import { useTraces } from '../hooks.ts';
import type { Here } from './Blocks.tsx';
import { runsBefore } from './flow.ts';
import { observe } from './lesson-session.ts';
import { change } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

export const CompareBlock = ({
  id,
  here: { module, lesson, progress },
  children,
}: {
  id: string;
  here: Here;
  children: ReactNode;
}) => {
  const [problem, setProblem] = useState<string | null>(null);
  const prediction = lesson.predictions.find((each) => each.id === id);
  const needed = runsBefore(lesson, (block) => block.t === 'compare' && block.id === id);
  const isLocked = progress.locked.includes(id);
  const isMade = needed.every((name) => progress.runs[name] !== undefined);
  const isOver = useTraces(({ runs }) =>
    needed.every((name) => {
      const summary = runs.get(progress.runs[name] ?? '')?.summary;
      return summary !== undefined && (summary.state === 'ended' || summary.exitCode !== null);
    }),
  );
  // The trace may tell more a moment later, and then the answer may be another.
  const revision = useTraces((state) => state.revision);
  const truth = prediction
    ? truthOf(prediction, new Map(Object.entries(progress.observations)))
    : null;
  const mayAsk = prediction !== undefined && isLocked && isOver && truth === null;
  useEffect(() => {
    if (!mayAsk) return undefined;
    // A live trace grows many times a second; one question for what came together is enough.
    const timer = setTimeout(() => {
      void observe(module, questionsOfPrediction(prediction)).then(setProblem);
    }, 150);
    return () => clearTimeout(timer);
  }, [mayAsk, module, prediction, revision]);

  if (!prediction) return null;
  const answer = progress.answers[id] ?? null;
  if (!isLocked) return <p className="muted">{words().lockToCompare}</p>;
  if (truth === null)
    return (
      <p className="muted" role="status">
        {problem ?? (isOver ? words().looking : isMade ? words().whenOver : words().fromRun)}
      </p>
    );
  const isRight = isSame(answer, truth);
  const again = (): void =>
    change(lesson.id, ({ locked, observations }) => ({
      locked: locked.filter((each) => each !== id),
      observations: Object.fromEntries(
        Object.entries(observations).filter(([key]) => !key.startsWith(`predict/${id}`)),
      ),
    }));
  return (
    <div className="block block-compare" role="status">
      <dl className="said-and-seen">
        <dt>{words().youSaid}</dt>
        <dd data-tone={isRight ? 'ok' : 'bad'}>
          <span aria-hidden="true">{isRight ? '✓ ' : '✕ '}</span>
          {wordsOf(prediction, answer)}
        </dd>
        <dt>{progress.isRecorded ? words().recordingSays : words().engineSays}</dt>
        <dd>{wordsOf(prediction, truth)}</dd>
      </dl>
      {!isRight && prediction.kind !== 'choice' && (
        <button type="button" onClick={again}>
          {words().answerAgain}
        </button>
      )}
      {children}
    </div>
  );
};

const wordsOf = (prediction: Prediction, value: Value): string => {
  if (value === null) return words().nothing;
  if (prediction.kind === 'number') return String(value);
  const said = (id: string): string =>
    prediction.options.find((option) => option.id === id)?.say ?? id;
  return Array.isArray(value) ? value.map(said).join(' → ') : said(String(value));
};
