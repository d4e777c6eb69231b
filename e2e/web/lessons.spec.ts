/** The lessons without an engine: on their recordings, by keyboard alone, and saying so. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test as base } from '@playwright/test';
import type { RecordingHeader } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { Value } from '../../apps/engine/src/protocol/lesson/predicate.ts';
import { truthOf } from '../../apps/engine/src/protocol/lesson/questions.ts';
import { readLessons, type LessonFolder } from '../../scripts/lessons/read-lessons.ts';
import { LessonPage } from '../support/lesson.ts';
import { EngineRoomPage, SIZES, THEMES } from '../support/page.ts';

const test = base.extend<{ room: EngineRoomPage; learner: LessonPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    // Nobody answers: the line to the engine closes at once.
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
  learner: async ({ room }, use) => {
    await use(new LessonPage(room.page));
  },
});

const LESSONS = readLessons();
const [first] = LESSONS;
if (!first) throw new Error('there are no lessons');

/** A solution may answer what was observed; on the recording that is what was recorded. */
const answersOf = ({ lesson, solution, recording }: LessonFolder): Record<string, Value> => {
  const [line = ''] = gunzipSync(readFileSync(recording)).toString('utf8').split('\n', 1);
  const { observations } = JSON.parse(line) as RecordingHeader;
  const recorded = new Map(Object.entries(observations));
  return Object.fromEntries(
    lesson.predictions.map((prediction) => {
      const answer = solution.answers[prediction.id] ?? null;
      const isLiteral = typeof answer !== 'object' || answer === null || Array.isArray(answer);
      return [prediction.id, isLiteral ? answer : truthOf(prediction, recorded)];
    }),
  );
};

for (const folder of LESSONS)
  test(`${folder.lesson.id} is finished on its recording, by keyboard alone`, async ({
    learner,
  }) => {
    await learner.open(folder.lesson);
    await expect(learner.room).toContainText('On recordings');

    await learner.finish(folder.lesson, answersOf(folder));

    await expect(learner.room).toContainText('checked against the recording');
  });

test('a run stays locked until the prediction is, and says why', async ({ learner }) => {
  await learner.open(first.lesson);
  await learner.room.getByRole('button', { name: 'Next', exact: true }).press('Enter');
  const run = learner.room.getByRole('button', { name: 'Play the recording' });

  await expect(run).toHaveAttribute('aria-disabled', 'true');
  await run.press('Enter');

  await expect(learner.room).toContainText('Lock your prediction first.');
  await expect(learner.room).not.toContainText('The recording says');
});

test('a wrong answer is kept beside the outcome, and the check gives a hint', async ({
  learner,
}) => {
  await learner.open(first.lesson);
  const answers = answersOf(first);
  const wrong = {
    ...answers,
    order: ['container', 'runc', 'shim', 'containerd', 'dockerd', 'docker'],
  };

  await learner.finish(first.lesson, wrong, { isRight: false });

  await expect(learner.room).toContainText('You said');
  await expect(learner.room).toContainText('Compare your order with the trace above');
  await learner.room.getByRole('button', { name: 'Back' }).press('Enter');
  await expect(learner.room.getByRole('button', { name: 'Answer again' })).toBeVisible();
});

test('progress survives a reload, and can be saved as a file', async ({ learner, page }) => {
  await learner.open(first.lesson);
  await learner.finish(first.lesson, answersOf(first));

  await page.reload();

  await expect(learner.room.getByText('Lesson 1 checked')).toBeVisible();
  await learner.room.getByRole('button', { name: 'All lessons' }).press('Enter');
  await expect(learner.room).toContainText(`1 of ${LESSONS.length} checked`);
  const download = page.waitForEvent('download');
  await learner.room.getByRole('button', { name: 'Save it as a file' }).press('Enter');
  const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as unknown;
  expect(saved).toMatchObject({ lessons: { [first.lesson.id]: { isPassed: true } } });
});

test('damaged progress begins anew', async ({ learner, page }) => {
  await page.evaluate(() =>
    localStorage.setItem('engine-room.lessons', '{"x":{"screen":"no"},"y":3'),
  );
  await page.reload();
  await learner.open(first.lesson);
  await expect(learner.room.getByRole('heading', { name: 'The question' })).toBeVisible();
});

test('an address of a lesson that there is not says so', async ({ learner, page }) => {
  await page.goto('/#lesson=999-no-such-lesson');
  await page.reload();
  await expect(learner.room.getByRole('alert')).toContainText('There is no lesson');
});

test('a step in the text moves the one playhead', async ({ learner, room }) => {
  await learner.open(first.lesson);
  await learner.finish(first.lesson, answersOf(first));
  for (let back = 0; back < 2; back += 1)
    await learner.room.getByRole('button', { name: 'Back' }).press('Enter');

  await learner.room.getByRole('button', { name: 'clone3' }).press('Enter');

  await expect(room.caption).toContainText(/clone3|namespace/);
});

for (const [index, size] of SIZES.entries())
  for (const theme of [THEMES[index % THEMES.length] ?? 'dark'])
    test(`lesson without axe violations: ${size.name}, ${theme}`, async ({
      learner,
      room,
    }, testInfo) => {
      const { page } = room;
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: theme });
      await page.reload();
      await page.getByRole('button', { name: 'Lessons', exact: true }).press('Enter');
      await expect(learner.room.getByRole('heading', { name: 'Lessons' })).toBeVisible();
      await testInfo.attach('list', { body: await page.screenshot(), contentType: 'image/png' });
      await learner.open(first.lesson);
      await testInfo.attach('question', {
        body: await page.screenshot(),
        contentType: 'image/png',
      });

      await learner.finish(first.lesson, answersOf(first));

      await room.expectNoAxeViolation('checked');
      await room.expectNoSidewaysScroll('checked');
      await testInfo.attach('checked', { body: await page.screenshot(), contentType: 'image/png' });
    });
