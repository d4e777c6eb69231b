/** The lesson's check: what is looked up, what was seen, and when it is not so, the hint that fits. */
import { useState, type ReactNode } from 'react';
import { meaningOf } from '@engine-room/engine/protocol/lesson/facts.ts';
import type { Check } from '@engine-room/engine/protocol/lesson/front-matter.ts';
import { commandOf } from '@engine-room/engine/protocol/lesson/runs.ts';
import type { Observation, Value } from '@engine-room/engine/protocol/lesson/predicate.ts';
import { hintOf, questionsOfCheck } from '@engine-room/engine/protocol/lesson/questions.ts';
import type { Here } from './Blocks.tsx';
import { runsBefore } from './flow.ts';
import { observe } from './lesson-session.ts';
import { change, progressOf, progressStore } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

export const CheckBlock = ({
  ids,
  here: { module, lesson, progress },
  children,
}: {
  ids: readonly string[];
  here: Here;
  children: ReactNode;
}) => {
  const [problem, setProblem] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const checks = lesson.checks.filter(({ id }) => ids.includes(id));
  const seen = new Map(Object.entries(progress.observations));
  const missing = runsBefore(
    lesson,
    (block) => block.t === 'check' && block.ids.join() === ids.join(),
  ).filter((name) => progress.runs[name] === undefined);

  const check = async (): Promise<void> => {
    const first = lesson.runs[missing[0] ?? ''];
    if (first)
      return setProblem(
        words().runFirst('fault' in first ? first.fault : (commandOf(first) ?? '')),
      );
    setIsAsking(true);
    const questions = new Map(checks.flatMap((each) => [...questionsOfCheck(each)]));
    setProblem(await observe(module, questions));
    const { observations } = progressOf(progressStore.getState().lessons, lesson.id);
    if (lesson.checks.every(({ id }) => observations[`check/${id}`]?.holds))
      change(lesson.id, () => ({ isPassed: true }));
    setIsAsking(false);
  };
  const isDone = checks.every(({ id }) => seen.get(`check/${id}`)?.holds);
  return (
    <div className="block block-check">
      {children}
      <p className="block-acts">
        <button
          type="button"
          className={isDone ? undefined : 'primary'}
          aria-disabled={isAsking}
          onClick={() => void check()}
        >
          {words().check}
        </button>
      </p>
      <div role="status">
        {problem !== null && <p className="problem">{problem}</p>}
        <ul className="checks">
          {checks.map((each) => (
            <Checked key={each.id} check={each} seen={seen} />
          ))}
        </ul>
        {isDone && (
          <p className="lesson-done" data-tone="ok">
            {progress.isRecorded
              ? words().doneRecorded(lesson.number)
              : words().done(lesson.number)}
          </p>
        )}
      </div>
    </div>
  );
};

const Checked = ({ check, seen }: { check: Check; seen: ReadonlyMap<string, Observation> }) => {
  const observation = seen.get(`check/${check.id}`);
  if (!observation)
    return (
      <li>
        <span aria-hidden="true">○ </span>
        {check.say}
      </li>
    );
  const { holds, observed, wanted, why } = observation;
  return (
    <li data-tone={holds ? 'ok' : 'bad'}>
      <span aria-hidden="true">{holds ? '✓ ' : '✕ '}</span>
      <span className="sr-only">{holds ? words().yes : words().notYet}</span>
      {check.say}
      <p className="check-facts">
        {words().labLookedAt(meaningOf(check.that.fact).words)}
        {why === null ? (
          <>
            : <span className="mono">{shown(observed)}</span>
            {!holds && (
              <>
                {words().comparedWith}
                <span className="mono">{shown(wanted)}</span>
              </>
            )}
          </>
        ) : (
          words().but(why)
        )}
        .
      </p>
      {!holds && <p className="check-hint">{hintOf(check, seen)}</p>}
    </li>
  );
};

const shown = (value: Value): string =>
  Array.isArray(value) ? value.join(' → ') : JSON.stringify(value);
