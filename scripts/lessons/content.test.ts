/** The lessons as they are: well formed, complete, and true to what was recorded. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { namesOf } from '../../apps/engine/src/protocol/lesson/event-names.ts';
import type {
  Block,
  Inline,
  Lesson,
  RecordingHeader,
} from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { isSame, questionsOf, truthOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import type { TraceEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import { readLessons } from './read-lessons.ts';

const FOLDERS = readLessons();

interface Claim {
  readonly id: string;
  readonly lessons: readonly string[];
}

/** The rows of the table in the guide: `| id | words | 001, 003 |`. */
const claims: readonly Claim[] = [
  ...readFileSync('content/README.md', 'utf8').matchAll(
    /^\| `([a-z-]+)` +\| .* \| ([\d, ]*) *\|$/gm,
  ),
].map(([, id = '', lessons = '']) => ({ id, lessons: lessons.match(/\d+/g) ?? [] }));

test('each claim is proven by the lessons that the table names, and by no others', () => {
  expect(claims.length).toBeGreaterThan(0);
  for (const { id, lessons } of claims) {
    const proving = FOLDERS.filter(({ lesson }) => lesson.proves.includes(id));
    expect(lessons, id).toEqual(proving.map(({ lesson }) => lesson.id.slice(0, 3)));
    expect(lessons, `${id} is proven by no lesson`).not.toEqual([]);
  }
  const known = claims.map(({ id }) => id);
  for (const { lesson } of FOLDERS)
    for (const id of lesson.proves) expect(known, lesson.id).toContain(id);
});

test('numbers are given once', () => {
  const numbers = FOLDERS.map(({ lesson }) => lesson.number);
  expect(new Set(numbers).size).toBe(numbers.length);
});

interface Step {
  readonly name: string;
  readonly run: string;
}

const stepsOf = (lesson: Lesson): readonly Step[] => {
  const ofInlines = (inlines: readonly Inline[]): readonly Step[] =>
    inlines.flatMap((inline) =>
      typeof inline === 'string'
        ? []
        : inline.t === 'step'
          ? [inline]
          : 'c' in inline
            ? ofInlines(inline.c)
            : [],
    );
  const ofBlocks = (blocks: readonly Block[]): readonly Step[] =>
    blocks.flatMap((block) => {
      if (block.t === 'p') return ofInlines(block.c);
      if (block.t === 'list') return block.items.flatMap(ofBlocks);
      return block.t === 'code' ? [] : ofBlocks(block.c);
    });
  return lesson.screens.flatMap(({ blocks }) => ofBlocks(blocks));
};

describe.each(FOLDERS.map((folder) => [folder.lesson.id, folder] as const))(
  '%s',
  (_id, { lesson, solution, recording }) => {
    const lines = gunzipSync(readFileSync(recording)).toString('utf8').split('\n');
    const header = JSON.parse(lines[0] ?? '') as RecordingHeader;
    const events = lines
      .slice(1)
      .filter((line) => line.includes(`"traceId"`))
      .map((line) => JSON.parse(line) as TraceEvent);

    test('every file of ours that it names is there', () => {
      for (const { ours } of lesson.code) expect(existsSync(ours), ours).toBe(true);
    });

    test('its recording is its own, whole, and passes its check', () => {
      expect(header).toMatchObject({ format: 'engine-room-lesson', lesson: lesson.id });
      expect(Object.keys(header.runs).toSorted()).toEqual(Object.keys(lesson.runs).toSorted());
      expect(Object.keys(header.observations)).toEqual([...questionsOf(lesson).keys()]);
      for (const { id } of lesson.checks)
        expect(header.observations[`check/${id}`], id).toMatchObject({ holds: true });
    });

    test('the recorded machine decides its predictions as the solution does', () => {
      const recorded = new Map(Object.entries(header.observations));
      for (const prediction of lesson.predictions) {
        const truth = truthOf(prediction, recorded);
        const answer = solution.answers[prediction.id] ?? null;
        const isLiteral = typeof answer !== 'object' || answer === null || Array.isArray(answer);
        expect(truth, prediction.id).not.toBeNull();
        if (isLiteral) expect(isSame(truth, answer), prediction.id).toBe(true);
      }
    });

    test('every event that the text points at is in the recorded run', () => {
      for (const { name, run } of stepsOf(lesson)) {
        const there = events.some(
          (event) => event.traceId === header.runs[run] && namesOf(event).includes(name),
        );
        expect(there, `${name} in ${run}`).toBe(true);
      }
    });
  },
);
