/** What the learner does, and where it goes: to the lab when there is an engine, else to the lesson's recording. */
import { createStore } from 'zustand/vanilla';
import { compare, comparisonOf } from '@engine-room/engine/protocol/lesson/compare.ts';
import type { Run } from '@engine-room/engine/protocol/lesson/front-matter.ts';
import { isOf, takesOf } from '@engine-room/engine/protocol/lesson/runs.ts';
import type { Lesson } from '@engine-room/engine/protocol/lesson/lesson.ts';
import type { Observation, Predicate } from '@engine-room/engine/protocol/lesson/predicate.ts';
import type { Questions } from '@engine-room/engine/protocol/lesson/questions.ts';
import { seekEvent } from '../playback/playhead.ts';
import { askLab, breakEngine, chooseRun, sendRequest } from '../session.ts';
import type { RunAnswer } from '../trace/lab-requests.ts';
import { openRecording, traceStore } from '../trace/trace-store.ts';
import { languageOfPage, loadLesson, type LessonModule } from './catalog.ts';
import { words } from '../messages/lesson-words.ts';
import { change, progressOf, progressStore } from './progress.ts';
import { fetchRecording, type LessonRecording } from './recording.ts';

export interface LessonState {
  readonly open: LessonModule | null;
  readonly recording: LessonRecording | null;
  readonly problem: string | null;
  /** The run that did not come about, and why. */
  readonly failed: { readonly run: string; readonly why: string } | null;
  /** The run that is being asked for. */
  readonly asking: string | null;
  /** Of a run that is made several times: which one it is now, from 1 on. */
  readonly take: number;
  /** Why a run was not made here, and is shown as it was recorded; by its name. */
  readonly instead: Readonly<Record<string, string>>;
}

export const lessonStore = createStore<LessonState>(() => ({
  open: null,
  recording: null,
  problem: null,
  failed: null,
  asking: null,
  take: 1,
  instead: {},
}));

export const hasEngine = (): boolean => {
  const { connection, engine } = traceStore.getState();
  return connection.state === 'live' && engine?.canLaunch !== false;
};

export const enterLesson = async (id: string): Promise<void> => {
  lessonStore.setState({
    open: null,
    recording: null,
    problem: null,
    failed: null,
    asking: null,
    instead: {},
  });
  try {
    const open = await loadLesson(id, languageOfPage());
    lessonStore.setState({ open });
    // A lesson that was begun on its recording goes on there.
    if (progressOf(progressStore.getState().lessons, id).isRecorded) await needRecording(open);
  } catch (error) {
    lessonStore.setState({ problem: error instanceof Error ? error.message : String(error) });
  }
};

const needRecording = async ({ recording }: LessonModule): Promise<LessonRecording> => {
  const known = lessonStore.getState().recording;
  if (known) return known;
  if (recording === null) throw new Error(words().noRecording);
  const fetched = await fetchRecording(recording);
  for (const trace of fetched.traces) openRecording(trace);
  lessonStore.setState({ recording: fetched });
  return fetched;
};

/** Whether the learner goes on with the recording: what was begun on the engine is not mixed with it. */
export const usesRecording = (id: string): boolean => {
  const { isRecorded, runs } = progressOf(progressStore.getState().lessons, id);
  return Object.keys(runs).length > 0 ? isRecorded : !hasEngine();
};

export const startRun = async (module: LessonModule, name: string): Promise<void> => {
  const { lesson } = module;
  if (lessonStore.getState().asking !== null) return;
  lessonStore.setState({ asking: name, take: 1, failed: null });
  try {
    const made = usesRecording(lesson.id)
      ? await playRecorded(module, name)
      : await runForReal(module, name);
    change(lesson.id, ({ runs, observations }) => ({
      runs: { ...runs, ...made },
      observations: withoutChecks(observations),
      isRecorded: usesRecording(lesson.id),
    }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    lessonStore.setState({ failed: { run: name, why } });
  } finally {
    lessonStore.setState({ asking: null });
  }
};

/** What was checked before is not known of the machine after a run. */
const withoutChecks = (observations: Readonly<Record<string, Observation>>) =>
  Object.fromEntries(Object.entries(observations).filter(([key]) => !key.startsWith('check/')));

/** Traces by the names of their takes. */
type Made = Readonly<Record<string, string>>;

const playRecorded = async (module: LessonModule, name: string): Promise<Made> => {
  const { header } = await needRecording(module);
  const traceId = header.runs[name];
  const run = module.lesson.runs[name];
  if (traceId === undefined || !run) throw new Error(words().notRecorded(name));
  chooseRun(traceId);
  if ('fault' in run) {
    const told = traceStore.getState().runs.get(traceId)?.model.order.placed ?? [];
    const signal = told.find(({ event }) => event.type === 'message' && event.from.actor === 'lab');
    if (signal) seekEvent(signal.event.id);
  }
  return Object.fromEntries(takesOf(name, run).map((take) => [take, header.runs[take] ?? '']));
};

const runForReal = async (module: LessonModule, name: string): Promise<Made> => {
  const { lesson } = module;
  const run = lesson.runs[name];
  if (!run) throw new Error(words().noRun(name));
  if ('outside' in run) return { [name]: seenOutside(run.outside) };
  await daemonsRunning();
  if ('fault' in run) return { [name]: await breakForReal(lesson, run) };
  if ('program' in run) return runProgram(module, name, run.program);
  const made: Record<string, string> = {};
  for (const [index, take] of takesOf(name, run).entries()) {
    // One after the other: two at once would be in each other's way.
    const [before] = Object.values(made).slice(-1);
    if (before !== undefined) await ended(before);
    lessonStore.setState({ take: index + 1 });
    await tidy(run.tidy, 'container');
    await tidy(run.tidyVolumes, 'volume');
    const answer = await sent(run.command, run.gate);
    if ('message' in answer) throw new Error(answer.message);
    made[take] = answer.traceId;
  }
  return made;
};

const sent = async (command: string, gate?: string): Promise<RunAnswer> => {
  const answer = await sendRequest(command, gate);
  if (answer === null) throw new Error(words().anotherOnWay);
  return answer;
};

/** Not every machine has every language. */
const runProgram = async (module: LessonModule, name: string, program: string): Promise<Made> => {
  const answer = await sent(program);
  if (!('message' in answer)) return { [name]: answer.traceId };
  const made = await playRecorded(module, name);
  lessonStore.setState(({ instead }) => ({ instead: { ...instead, [name]: answer.message } }));
  return made;
};

/** The latest trace that such a command has left. */
const seenOutside = (command: string): string => {
  const runs = [...traceStore.getState().runs.values()];
  const seen = runs.find(
    ({ summary }) => summary.origin === 'external' && isOf(command, summary.title),
  );
  if (!seen) throw new Error(words().notTyped(command));
  chooseRun(seen.summary.traceId);
  return seen.summary.traceId;
};

/** Breaks the real thing; the trace of the run that it concerns tells of it. */
const breakForReal = async (
  { id }: Lesson,
  { fault, tells }: Extract<Run, { fault: unknown }>,
): Promise<string> => {
  const traceId = progressOf(progressStore.getState().lessons, id).runs[tells] ?? '';
  const told = traceStore.getState().runs.get(traceId);
  if (!told) throw new Error(words().notKept);
  chooseRun(traceId);
  const [container] = told.summary.containerIds;
  const isAboutOne = fault === 'kill-shim' || fault === 'kill-container';
  const problem = await breakEngine({
    fault,
    ...(isAboutOne && container !== undefined ? { container } : {}),
  });
  if (problem !== null) throw new Error(problem);
  return traceId;
};

/** After a fault a daemon may be on its way; how long one waits for it. */
const MEND_MS = 20_000;

const daemonsRunning = (): Promise<void> =>
  new Promise((resolve) => {
    const areRunning = (): boolean =>
      traceStore.getState().engine?.daemons.every(({ state }) => state === 'running') !== false;
    if (areRunning()) return resolve();
    const done = (): void => {
      stop();
      clearTimeout(timer);
      resolve();
    };
    const stop = traceStore.subscribe(() => areRunning() && done());
    // Then the lab says itself what is missing.
    const timer = setTimeout(done, MEND_MS);
  });

const REMOVE = { container: 'docker rm -f', volume: 'docker volume rm' } as const;

/** Removes what an earlier attempt has left, with the command that one would use oneself. */
const tidy = async (names: readonly string[], kind: keyof typeof REMOVE): Promise<void> => {
  if (names.length === 0) return;
  const there = await askLab({
    predicates: names.map((name) => ({
      fact: `${kind}.exists`,
      of: `${kind} ${name}`,
      equals: true,
    })),
    runs: {},
    answers: {},
  });
  if ('message' in there) throw new Error(there.message);
  const left = names.filter((_name, index) => there.observations[index]?.holds);
  if (left.length === 0) return;
  const answer = await sendRequest(`${REMOVE[kind]} ${left.join(' ')}`);
  if (answer && 'message' in answer) throw new Error(answer.message);
  if (answer) await ended(answer.traceId);
};

const ended = (traceId: string): Promise<void> =>
  new Promise((resolve) => {
    const isOver = (): boolean =>
      traceStore.getState().runs.get(traceId)?.summary.state === 'ended' ||
      traceStore.getState().connection.state !== 'live';
    if (isOver()) return resolve();
    const stop = traceStore.subscribe(() => {
      if (!isOver()) return;
      stop();
      resolve();
    });
  });

/** Looks up the questions, live or in the recording, and keeps what was seen. Null when it worked, else why not. */
export const observe = async (
  module: LessonModule,
  questions: Questions,
): Promise<string | null> => {
  const { id } = module.lesson;
  const { runs, answers } = progressOf(progressStore.getState().lessons, id);
  let seen: readonly (readonly [string, Observation])[];
  try {
    if (usesRecording(id)) {
      const { header } = await needRecording(module);
      seen = [...questions].flatMap(([key, predicate]) => {
        const observation = header.observations[key];
        return observation ? [[key, withAnswer(predicate, observation, answers)] as const] : [];
      });
    } else {
      const answer = await askLab({
        predicates: [...questions.values()],
        runs: { ...runs },
        answers: { ...answers },
      });
      if ('message' in answer) return answer.message;
      seen = [...questions.keys()].flatMap((key, index) => {
        const observation = answer.observations[index];
        return observation ? [[key, observation] as const] : [];
      });
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  change(id, ({ observations }) => ({
    observations: { ...observations, ...Object.fromEntries(seen) },
  }));
  return null;
};

/** The machine is the recorded one, but the answer is this learner's. */
const withAnswer = (
  predicate: Predicate,
  observation: Observation,
  answers: Readonly<Record<string, Observation['wanted']>>,
): Observation => {
  const { how, term } = comparisonOf(predicate);
  if (typeof term !== 'object' || term === null || !('answer' in term)) return observation;
  const wanted = answers[term.answer] ?? null;
  return { ...observation, wanted, holds: compare(observation.observed, how, wanted) };
};
