/**
 * Each lesson on the real engine, from both sides: as long as nothing was done its check fails, and after its solution
 * it passes. The predictions' truth, which only the engine knows, is what the solution answers.
 *
 * `LESSON_RUNS=20` does it twenty times, `LESSONS=003,009` for some lessons only.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSame, truthOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import { LabClient } from '../../scripts/lessons/lab-client.ts';
import { playSolution, tidyUp } from '../../scripts/lessons/play-solution.ts';
import { readLessons } from '../../scripts/lessons/read-lessons.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';

let engine: OurEngine;
let lab: LabClient;

beforeAll(async () => {
  // Who breaks things again and again for a test need not wait in between.
  engine = await startOurEngine(['--fault-pause', '0']);
  lab = new LabClient(engine.url, engine.socket);
});

afterAll(async () => {
  lab.close();
  await engine.stop();
});

const RUNS = Number(process.env['LESSON_RUNS'] ?? 1);
if (!Number.isInteger(RUNS) || RUNS < 1) throw new Error('LESSON_RUNS must be a number from 1 on');
const rounds = Array.from({ length: RUNS }, (_, index) => index + 1);
const asked = process.env['LESSONS']?.split(',');
const chosen = readLessons().filter(
  ({ lesson }) => asked === undefined || asked.includes(lesson.id.slice(0, 3)),
);
if (chosen.length === 0) throw new Error('LESSONS names no lesson');

describe.each(chosen.map((folder) => [folder.lesson.id, folder] as const))(
  '%s',
  (_id, { lesson, solution }) => {
    test.each(rounds)('the start fails its check, the solution passes it: round %i', async () => {
      const { start, end, answers, held } = await playSolution(lab, lesson, solution);
      await tidyUp(lab, lesson);

      // Whoever stands at a gate sleeps, in a pid namespace of its own, and is not yet the program.
      for (const at of Object.values(held))
        expect(at).toMatchObject([
          {
            process: {
              name: 'runc:[init]',
              state: expect.stringMatching(/^S/),
              pids: [expect.any(Number), 1],
            },
          },
        ]);

      const failed = lesson.checks.filter(({ id }) => start.get(`check/${id}`)?.holds !== true);
      expect(
        failed.map(({ id }) => id),
        'checks that fail at the start',
      ).not.toEqual([]);
      for (const { id, say } of lesson.checks)
        expect(end.get(`check/${id}`), say).toMatchObject({ holds: true, why: null });
      for (const prediction of lesson.predictions) {
        const truth = truthOf(prediction, end);
        expect(truth, prediction.id).not.toBeNull();
        expect(
          isSame(truth, answers[prediction.id] ?? null),
          `${prediction.id}: ${String(truth)}`,
        ).toBe(true);
      }
    });
  },
);
