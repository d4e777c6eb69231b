/**
 * Does what `solution.yaml` says on a real engine, and observes the lesson's questions before and after.
 * The two-sided test and the recorder are this; neither knows any answer itself.
 */
import type { Run, Solution } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { Observation, Value } from '../../apps/engine/src/protocol/lesson/predicate.ts';
import { questionsOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import { takesOf, tidyingUp } from '../../apps/engine/src/protocol/lesson/runs.ts';
import type { RunGates } from '../../apps/engine/src/lab/gates/gate-service.ts';
import type { LabClient } from './lab-client.ts';

export type Observations = ReadonlyMap<string, Observation>;

export interface Played {
  /** Before anything was done. */
  readonly start: Observations;
  readonly end: Observations;
  readonly runs: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<string, Value>>;
  /** By run, who stood still at its gate. */
  readonly held: Readonly<Record<string, RunGates['held']>>;
}

/** A machine that is busy with something else shows the same things later. */
const PATIENCE_MS = 20_000;
const AGAIN_MS = 100;

export const playSolution = async (
  lab: LabClient,
  lesson: Lesson,
  solution: Solution,
): Promise<Played> => {
  const start = await observe(lab, lesson, {}, {});
  const runs: Record<string, string> = {};
  const held: Record<string, RunGates['held']> = {};
  for (const step of solution.steps) {
    if ('run' in step) {
      const run = lesson.runs[step.run];
      if (!run)
        throw new Error(`${lesson.id}: the solution runs "${step.run}", which there is not`);
      if ('command' in run && run.gate !== undefined) {
        const at = await lab.hold(run.command, run.gate);
        runs[step.run] = at.traceId;
        held[step.run] = at.held;
      } else for (const take of takesOf(step.run, run)) runs[take] = await make(lab, run, runs);
    } else if ('continue' in step) await lab.continue(runs[step.continue] ?? '');
    else if ('command' in step) await lab.run(step.command);
    else if ('visit' in step) await visit(step.visit);
    else await lab.request(step.request.slice('GET '.length));
  }
  const answers = await answersOf(lab, solution, runs);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const end = await observe(lab, lesson, runs, answers);
    const isPassed = lesson.checks.every(({ id }) => end.get(`check/${id}`)?.holds);
    if (isPassed || Date.now() > deadline) return { start, end, runs, answers, held };
    await later();
  }
};

const make = async (lab: LabClient, run: Run, runs: Played['runs']): Promise<string> => {
  if ('fault' in run) return lab.fault(run.fault, runs[run.tells] ?? '');
  if ('outside' in run) return (await lab.outside(run.outside)).traceId;
  return (await lab.run('program' in run ? run.program : run.command)).traceId;
};

/** Removes what the lesson's runs have left. */
export const tidyUp = async (lab: LabClient, lesson: Lesson): Promise<void> => {
  for (const command of tidyingUp(lesson.runs)) await lab.run(command);
};

/** As a browser does; a server in a container needs a moment until it listens. */
export const visit = async (url: string): Promise<void> => {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(url).catch((error: unknown) => error);
    if (answer instanceof Response && answer.ok) return void (await answer.text());
    if (Date.now() > deadline) throw new Error(`${url} does not answer`, { cause: answer });
    await later();
  }
};

const later = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, AGAIN_MS);
  });

const answersOf = async (
  lab: LabClient,
  solution: Solution,
  runs: Played['runs'],
): Promise<Record<string, Value>> => {
  const answers: Record<string, Value> = {};
  for (const [id, answer] of Object.entries(solution.answers))
    answers[id] = await answerOf(lab, answer, runs);
  return answers;
};

/** An answer as it is written down, or what the lab observes where it says so. */
export const answerOf = async (
  lab: LabClient,
  answer: Solution['answers'][string],
  runs: Played['runs'],
): Promise<Value> => {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer;
  const asked = { predicates: [answer.observed], runs: { ...runs }, answers: {} };
  return (await lab.check(asked)).observations[0]?.observed ?? null;
};

const observe = async (
  lab: LabClient,
  lesson: Lesson,
  runs: Played['runs'],
  answers: Played['answers'],
): Promise<Observations> => {
  const questions = questionsOf(lesson);
  const { observations } = await lab.check({
    predicates: [...questions.values()],
    runs: { ...runs },
    answers: { ...answers },
  });
  return new Map(
    [...questions.keys()].flatMap((key, index) => {
      const observation = observations[index];
      return observation ? [[key, observation] as const] : [];
    }),
  );
};
