/** The lessons as they are: well formed, complete, and true to what was recorded. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decide } from '../../apps/engine/src/lab/policy/policy.ts';
import { namesOf } from '../../apps/engine/src/protocol/lesson/event-names.ts';
import type {
  Block,
  Inline,
  Lesson,
  RecordingHeader,
} from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { isSame, questionsOf, truthOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import { takesOf } from '../../apps/engine/src/protocol/lesson/runs.ts';
import type { TraceEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import { readLessons } from './read-lessons.ts';

const FOLDERS = readLessons();

interface Claim {
  readonly id: string;
  /** `003 created-without-process`: a lesson, and a check or a prediction of it. */
  readonly proofs: readonly (readonly [lesson: string, part: string])[];
}

/** The rows of the table in the guide: `| id | words | 001 six, 002 sent |`. */
const claims: readonly Claim[] = [
  ...readFileSync('content/README.md', 'utf8').matchAll(
    /^\| `([a-z-]+)` +\| [^|]+ \| ([^|]*)\|$/gm,
  ),
].map(([, id = '', proofs = '']) => ({
  id,
  proofs: [...proofs.matchAll(/(\d{3}) ([a-z0-9-]+)/g)].map(
    ([, lesson = '', part = '']) => [lesson, part] as const,
  ),
}));

describe('each claim is proven where the table says, and nowhere else', () => {
  test('there are claims, each once', () => {
    const ids = claims.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(20);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(claims.map((claim) => [claim.id, claim] as const))('%s', (id, { proofs }) => {
    const proving = FOLDERS.filter(({ lesson }) => lesson.proves.includes(id));
    expect(proving, `${id} is proven by no lesson`).not.toEqual([]);
    expect(proofs.map(([lesson]) => lesson)).toEqual(
      proving.map(({ lesson }) => lesson.id.slice(0, 3)),
    );
    for (const [number, part] of proofs) {
      const { lesson } = proving.find((each) => each.lesson.id.startsWith(number)) ?? {};
      const parts = [...(lesson?.checks ?? []), ...(lesson?.predictions ?? [])];
      expect(
        parts.map((each) => each.id),
        `${id}: ${number} has no check and no prediction ${part}`,
      ).toContain(part);
    }
  });

  test('no lesson proves what the table does not have', () => {
    const known = claims.map(({ id }) => id);
    for (const { lesson } of FOLDERS)
      for (const id of lesson.proves) expect(known, lesson.id).toContain(id);
  });
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
      return 'c' in block ? ofBlocks(block.c) : [];
    });
  return lesson.screens.flatMap(({ blocks }) => ofBlocks(blocks));
};

const terminalsIn = (blocks: readonly Block[]): readonly string[] =>
  blocks.flatMap((block) => {
    if (block.t === 'list') return block.items.flatMap(terminalsIn);
    if (block.t === 'terminal') return [block.command];
    return 'c' in block && block.t !== 'p' ? terminalsIn(block.c) : [];
  });

describe.each(FOLDERS.map((folder) => [folder.lesson.id, folder] as const))(
  '%s',
  (_id, { lesson, translations, solution, recording }) => {
    const lines = gunzipSync(readFileSync(recording)).toString('utf8').split('\n');
    const header = JSON.parse(lines[0] ?? '') as RecordingHeader;
    const events = lines
      .slice(1)
      .filter((line) => line.includes(`"traceId"`))
      .map((line) => JSON.parse(line) as TraceEvent);

    test('every file of ours that it names is there', () => {
      for (const { ours } of lesson.code) expect(existsSync(ours), ours).toBe(true);
    });

    test('every command that it gives is one that the page may send', () => {
      const typed = lesson.screens.flatMap(({ blocks }) => terminalsIn(blocks));
      const sent = Object.values(lesson.runs).flatMap((run) =>
        'command' in run ? [run.command] : [],
      );
      for (const command of [...sent, ...typed])
        expect(decide(command, 'me'), command).toMatchObject({ allowed: true });
    });

    test('what is held goes on', () => {
      for (const [name, run] of Object.entries(lesson.runs))
        if ('command' in run && run.gate !== undefined)
          expect(solution.steps).toContainEqual({ continue: name });
    });

    test('its recording is its own, whole, and passes its check', () => {
      expect(header).toMatchObject({ format: 'engine-room-lesson', lesson: lesson.id });
      expect(Object.keys(header.runs).toSorted()).toEqual(
        Object.entries(lesson.runs)
          .flatMap(([name, run]) => takesOf(name, run))
          .toSorted(),
      );
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
      for (const { name, run } of [lesson, ...translations.values()].flatMap(stepsOf)) {
        const there = events.some(
          (event) => event.traceId === header.runs[run] && namesOf(event).includes(name),
        );
        expect(there, `${name} in ${run}`).toBe(true);
      }
    });
  },
);
