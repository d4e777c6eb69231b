/** A question that is answered before one sees. Locked, it stays as it was said. */
import { useId, type ReactNode } from 'react';
import type { Prediction } from '@engine-room/engine/protocol/lesson/front-matter.ts';
import type { Value } from '@engine-room/engine/protocol/lesson/predicate.ts';
import type { Here } from './Blocks.tsx';
import { OrderField } from '../ui/OrderField.tsx';
import { change } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

export const PredictBlock = ({
  id,
  here: { lesson, progress },
  children,
}: {
  id: string;
  here: Here;
  children: ReactNode;
}) => {
  const prediction = lesson.predictions.find((each) => each.id === id);
  if (!prediction) return null;
  const isLocked = progress.locked.includes(id);
  const answer = progress.answers[id] ?? defaultOf(prediction);
  const say = (value: Value): void =>
    change(lesson.id, ({ answers }) => ({ answers: { ...answers, [id]: value } }));
  const lock = (): void =>
    change(lesson.id, ({ answers, locked }) => ({
      answers: { ...answers, [id]: answer },
      locked: [...locked, id],
    }));
  return (
    <form
      className="block block-predict"
      onSubmit={(event) => {
        event.preventDefault();
        if (answer !== null && !isLocked) lock();
      }}
    >
      {children}
      <Field prediction={prediction} answer={answer} isLocked={isLocked} say={say} />
      <p className="block-acts">
        {isLocked ? (
          <span>
            <span aria-hidden="true">■ </span>
            {words().locked}
          </span>
        ) : (
          <button type="submit" aria-disabled={answer === null}>
            {words().lockMine}
          </button>
        )}
      </p>
    </form>
  );
};

/** An order is there from the beginning; it has to be put right, not filled in. */
const defaultOf = (prediction: Prediction): Value =>
  prediction.kind === 'order' ? prediction.options.map(({ id }) => id) : null;

const Field = ({
  prediction,
  answer,
  isLocked,
  say,
}: {
  prediction: Prediction;
  answer: Value;
  isLocked: boolean;
  say: (value: Value) => void;
}) => {
  const name = useId();
  if (prediction.kind === 'number')
    return (
      <label className="predict-number">
        {prediction.ask}{' '}
        <input
          className="mono"
          inputMode="numeric"
          autoComplete="off"
          value={answer === null ? '' : String(answer)}
          readOnly={isLocked}
          onChange={({ target }) => {
            const digits = target.value.replaceAll(/\D/g, '').slice(0, 12);
            say(digits === '' ? null : Number(digits));
          }}
        />
      </label>
    );
  return (
    <fieldset disabled={isLocked}>
      <legend>{prediction.ask}</legend>
      {prediction.kind === 'choice' ? (
        prediction.options.map((option) => (
          <label key={option.id} className="predict-option">
            <input
              type="radio"
              name={name}
              checked={answer === option.id}
              onChange={() => say(option.id)}
            />{' '}
            {option.say}
          </label>
        ))
      ) : (
        <OrderField
          options={prediction.options}
          order={Array.isArray(answer) ? answer : []}
          onChange={say}
        />
      )}
    </fieldset>
  );
};
