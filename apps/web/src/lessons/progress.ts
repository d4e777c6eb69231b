/**
 * How far the learner is, lesson by lesson. It lives in this browser alone, and can be taken away as a file.
 *
 * screen        where one was
 * answers       what one has said; `locked` names those that are not to be changed any more
 * runs          the traces that one's own runs have made, by the lesson's names for them
 * observations  what the lab saw, by the key of the question
 * isRecorded    the runs are the lesson's recording, and so are the observations
 */
import { createStore } from 'zustand/vanilla';
import { ID } from '@engine-room/engine/protocol/lesson/names.ts';
import type { Observation, Value } from '@engine-room/engine/protocol/lesson/predicate.ts';
import { recall, remember } from '../memory.ts';

export interface Progress {
  readonly screen: number;
  readonly answers: Readonly<Record<string, Value>>;
  readonly locked: readonly string[];
  readonly runs: Readonly<Record<string, string>>;
  readonly observations: Readonly<Record<string, Observation>>;
  readonly isRecorded: boolean;
  readonly isPassed: boolean;
}

const FRESH: Progress = {
  screen: 0,
  answers: {},
  locked: [],
  runs: {},
  observations: {},
  isRecorded: false,
  isPassed: false,
};

const KEY = 'engine-room.lessons';
/** The name of a folder of content/lessons; it never is a name that objects have of themselves. */
const LESSON_ID = /^\d{3}-[a-z0-9-]+$/;
const EXPORT_FORMAT = 'engine-room-progress';

type AllProgress = Readonly<Record<string, Progress>>;

export const progressStore = createStore<{ readonly lessons: AllProgress }>(() => ({
  lessons: read(recall(KEY)),
}));

export const progressOf = (lessons: AllProgress, id: string): Progress => lessons[id] ?? FRESH;

export const change = (id: string, make: (before: Progress) => Partial<Progress>): void => {
  progressStore.setState(({ lessons }) => {
    const before = progressOf(lessons, id);
    return { lessons: { ...lessons, [id]: { ...before, ...make(before) } } };
  });
  remember(KEY, JSON.stringify(progressStore.getState().lessons));
};

/** That it was passed once stays. */
export const startOver = (id: string): void =>
  change(id, ({ isPassed }) => ({ ...FRESH, isPassed }));

export const exported = (): string =>
  JSON.stringify({ format: EXPORT_FORMAT, lessons: progressStore.getState().lessons }, null, 2);

/**
 * Takes over what a saved file tells. A lesson that one has passed here stays passed; what is further here than in the
 * file stays as it is.
 */
export const imported = (
  text: string,
): { readonly taken: number } | { readonly problem: 'noProgress' | 'noLesson' } => {
  const file = parse(text);
  if (!isRecord(file) || file['format'] !== EXPORT_FORMAT) return { problem: 'noProgress' };
  const found = Object.entries(validIn(file['lessons']));
  if (found.length === 0) return { problem: 'noLesson' };
  let taken = 0;
  for (const [id, theirs] of found) {
    const ours = progressOf(progressStore.getState().lessons, id);
    if (stepsIn(ours) > stepsIn(theirs)) {
      if (theirs.isPassed && !ours.isPassed) change(id, () => ({ isPassed: true }));
      continue;
    }
    change(id, () => ({ ...theirs, isPassed: ours.isPassed || theirs.isPassed }));
    taken += 1;
  }
  return { taken };
};

const stepsIn = ({ locked, runs }: Progress): number => locked.length + Object.keys(runs).length;

/** What an older page (or another program) has left there may be anything: what is not understood begins anew. */
function read(text: string | null): AllProgress {
  return validIn(parse(text ?? '{}'));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function validIn(stored: unknown): AllProgress {
  if (!isRecord(stored)) return {};
  return Object.fromEntries(
    Object.entries(stored).flatMap(([id, each]) =>
      LESSON_ID.test(id) && isProgress(each) ? [[id, { ...FRESH, ...known(each) }]] : [],
    ),
  );
}

/** Nothing but the fields that are ours. */
function known({
  screen,
  answers,
  locked,
  runs,
  observations,
  isRecorded,
  isPassed,
}: Progress): Progress {
  return {
    screen,
    answers,
    locked,
    runs,
    observations,
    isRecorded: isRecorded === true,
    isPassed: isPassed === true,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProgress(value: unknown): value is Progress {
  return (
    isRecord(value) &&
    Number.isInteger(value['screen']) &&
    isRecord(value['answers']) &&
    Object.values(value['answers']).every(isValue) &&
    Array.isArray(value['locked']) &&
    value['locked'].every((id) => typeof id === 'string' && ID.test(id)) &&
    isRecord(value['runs']) &&
    Object.values(value['runs']).every((id) => typeof id === 'string') &&
    isRecord(value['observations']) &&
    Object.values(value['observations']).every(isObservation)
  );
}

function isValue(value: unknown): value is Value {
  return (
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    (Array.isArray(value) && value.every((each) => typeof each === 'string'))
  );
}

function isObservation(value: unknown): value is Observation {
  return (
    isRecord(value) &&
    typeof value['holds'] === 'boolean' &&
    isValue(value['observed']) &&
    isValue(value['wanted']) &&
    (value['why'] === null || typeof value['why'] === 'string')
  );
}
