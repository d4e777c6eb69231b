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
export const EXPORT_FORMAT = 'engine-room-progress';

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

/** What an older page (or another program) has left there may be anything: what is not understood begins anew. */
function read(text: string | null): AllProgress {
  try {
    const stored: unknown = JSON.parse(text ?? '{}');
    if (!isRecord(stored)) return {};
    return Object.fromEntries(
      Object.entries(stored).flatMap(([id, each]) =>
        isProgress(each) ? [[id, { ...FRESH, ...each }]] : [],
      ),
    );
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProgress(value: unknown): value is Progress {
  return (
    isRecord(value) &&
    Number.isInteger(value['screen']) &&
    isRecord(value['answers']) &&
    Array.isArray(value['locked']) &&
    value['locked'].every((id) => typeof id === 'string' && ID.test(id)) &&
    isRecord(value['runs']) &&
    Object.values(value['runs']).every((id) => typeof id === 'string') &&
    isRecord(value['observations']) &&
    Object.values(value['observations']).every(isRecord)
  );
}
