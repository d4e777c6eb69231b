/** What a lesson names must be there, and nothing of it may be left out: a prediction that is never asked teaches nobody. */
import type { FrontMatter, Run } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Predicate, Term } from '../../apps/engine/src/protocol/lesson/predicate.ts';
import { comparisonOf } from '../../apps/engine/src/protocol/lesson/compare.ts';
import { takesOf } from '../../apps/engine/src/protocol/lesson/runs.ts';
import { questionsOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import type { GiveFault } from './fault.ts';
import type { Mention, ReadScreen } from './read-screens.ts';

export const checkReferences = (
  matter: FrontMatter,
  screens: readonly ReadScreen[],
  give: GiveFault,
): void => {
  const mentions = screens.flatMap((screen) => screen.mentions);
  const runs = Object.keys(matter.runs);
  const predictions = matter.predictions.map(({ id }) => id);
  const checks = matter.checks.map(({ id }) => id);
  const there: Readonly<Record<Mention['kind'], readonly string[]>> = {
    run: runs,
    step: runs,
    reveal: runs,
    requests: runs,
    predict: predictions,
    compare: predictions,
    check: checks,
  };
  for (const { kind, id, line } of mentions)
    if (!there[kind].includes(id))
      give(line, `${kind} names "${id}", and the front matter has only ${there[kind].join(', ')}`);

  const shown = (kind: Mention['kind']): readonly string[] =>
    mentions.filter((mention) => mention.kind === kind).map(({ id }) => id);
  for (const kind of ['run', 'predict', 'compare', 'check'] as const) {
    for (const id of there[kind]) {
      const times = shown(kind).filter((each) => each === id).length;
      if (times !== 1)
        give(1, `:::${kind} of "${id}" must stand in the text once, not ${times} times`);
    }
  }
  checkOrder(mentions, give);
  for (const [id, run] of Object.entries(matter.runs)) checkRun(id, run, matter.runs, give);
  for (const [key, predicate] of questionsOf(matter))
    checkPredicate(key, predicate, { runs, predictions, give });
  for (const prediction of matter.predictions) {
    if (prediction.kind !== 'choice') continue;
    const options = prediction.options.map(({ id }) => id);
    for (const { is } of prediction.truth)
      if (!options.includes(is))
        give(1, `the truth of "${prediction.id}" names "${is}", which is no option`);
  }
};

const checkRun = (id: string, run: Run, runs: FrontMatter['runs'], give: GiveFault): void => {
  if ('fault' in run) {
    const told = runs[run.tells];
    if (!told || !('command' in told))
      give(1, `the run "${id}" tells: ${run.tells}, which is no run of a command`);
    return;
  }
  if (!('command' in run)) return;
  for (const take of takesOf(id, run).slice(0, -1))
    if (runs[take]) give(1, `the run "${take}" would be one of the ${run.times} of "${id}"`);
  const name = / --name[ =](\S+)/.exec(run.command)?.[1];
  if (name !== undefined && !run.tidy.includes(name))
    give(1, `"${run.command}" can be run once only: it needs tidy: [${name}]`);
};

/** One predicts before one sees. */
const checkOrder = (mentions: readonly Mention[], give: GiveFault): void => {
  for (const [index, { kind, id, line }] of mentions.entries()) {
    if (kind !== 'compare') continue;
    const asked = mentions.findIndex((mention) => mention.kind === 'predict' && mention.id === id);
    const ran = mentions.some((mention, at) => mention.kind === 'run' && at < index && asked >= 0);
    if (asked > index || !ran)
      give(line, `:::compare of "${id}" must stand after its :::predict and a :::run`);
  }
};

interface Known {
  readonly runs: readonly string[];
  readonly predictions: readonly string[];
  readonly give: GiveFault;
}

const checkPredicate = (
  key: string,
  predicate: Predicate,
  { runs, predictions, give }: Known,
): void => {
  const { term } = comparisonOf(predicate);
  for (const part of [predicate, term] as readonly (Predicate | Term)[]) {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) continue;
    if ('run' in part && part.run !== undefined && !runs.includes(part.run))
      give(1, `${key} asks about the run "${part.run}", which there is not`);
    if ('answer' in part && !predictions.includes(part.answer))
      give(1, `${key} asks for the answer "${part.answer}", which there is not`);
  }
};
