/** Every predicate of a lesson under a key of its own, so that a live lab and a recording answer the same questions. */
import type { Check, Prediction } from './front-matter.ts';
import type { Lesson } from './lesson.ts';
import type { Observation, Predicate, Value } from './predicate.ts';

export type Questions = ReadonlyMap<string, Predicate>;
type Answers = ReadonlyMap<string, Observation>;

export const questionsOfPrediction = (prediction: Prediction): Questions =>
  new Map(
    prediction.kind === 'choice'
      ? prediction.truth.map(({ when }, index) => [`predict/${prediction.id}/${index}`, when])
      : [[`predict/${prediction.id}`, prediction.truth]],
  );

export const questionsOfCheck = ({ id, that, hints }: Check): Questions =>
  new Map([
    [`check/${id}`, that],
    ...hints.map(({ when }, index) => [`check/${id}/hint/${index}`, when] as const),
  ]);

export const questionsOf = ({ predictions, checks }: Pick<Lesson, 'predictions' | 'checks'>) =>
  new Map([
    ...predictions.flatMap((prediction) => [...questionsOfPrediction(prediction)]),
    ...checks.flatMap((check) => [...questionsOfCheck(check)]),
  ]);

/** What really happened, in the terms of the prediction; null while the machine does not say. */
export const truthOf = (prediction: Prediction, answers: Answers): Value => {
  if (prediction.kind !== 'choice')
    return answers.get(`predict/${prediction.id}`)?.observed ?? null;
  const rule = prediction.truth.findIndex(
    (_rule, index) => answers.get(`predict/${prediction.id}/${index}`)?.holds,
  );
  return prediction.truth[rule]?.is ?? null;
};

export const isSame = (a: Value, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The hint that fits what was observed. */
export const hintOf = ({ id, hint, hints }: Check, answers: Answers): string =>
  hints.find((_hint, index) => answers.get(`check/${id}/hint/${index}`)?.holds)?.say ?? hint;
