/** The lessons without an engine: on their recordings, by keyboard alone, and saying so. */
import { readFileSync, writeFileSync } from 'node:fs';
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

const answerFirst = (id: string): Value => answersOf(first)[id] ?? null;

for (const folder of LESSONS)
  test(`${folder.lesson.id} is finished on its recording, by keyboard alone`, async ({
    learner,
  }) => {
    await learner.open(folder.lesson);
    await expect(learner.room).toContainText('On recordings');

    await learner.finish(folder.lesson, { answer: (id) => answersOf(folder)[id] ?? null });

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
  const wrong: Record<string, Value> = {
    ...answers,
    order: ['container', 'runc', 'shim', 'containerd', 'dockerd', 'docker'],
  };

  await learner.finish(first.lesson, { answer: (id) => wrong[id] ?? null, isRight: false });

  await expect(learner.room).toContainText('You said');
  await expect(learner.room).toContainText('Compare your order with the trace above');
  await learner.room.getByRole('button', { name: 'Back' }).press('Enter');
  await expect(learner.room.getByRole('button', { name: 'Answer again' })).toBeVisible();
});

test('progress survives a reload, and can be saved as a file', async ({ learner, page }) => {
  await learner.open(first.lesson);
  await learner.finish(first.lesson, { answer: answerFirst });

  await page.reload();

  await expect(learner.room.getByText('Lesson 1 checked')).toBeVisible();
  await learner.room.getByRole('button', { name: 'All lessons' }).press('Enter');
  await expect(learner.room).toContainText(`1 of ${LESSONS.length} checked`);
  const download = page.waitForEvent('download');
  await learner.room.getByRole('button', { name: 'Save it as a file' }).press('Enter');
  const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as unknown;
  expect(saved).toMatchObject({ lessons: { [first.lesson.id]: { isPassed: true } } });
});

test('a saved file brings the progress to another browser, and what is no such file changes nothing', async ({
  learner,
  page,
}) => {
  await page.getByRole('button', { name: 'Lessons', exact: true }).press('Enter');
  const open = async (name: string, text: string): Promise<void> =>
    learner.room
      .getByLabel('A file with progress')
      .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  const progress = {
    screen: 0,
    answers: {},
    locked: [],
    runs: {},
    observations: {},
    isRecorded: true,
    isPassed: true,
  };
  const file = { format: 'engine-room-progress', lessons: { [first.lesson.id]: progress } };

  await open('progress.json', JSON.stringify(file));
  await expect(learner.room).toContainText('progress.json: 1 lesson taken over.');
  await expect(learner.room).toContainText(`1 of ${LESSONS.length} checked`);

  await open('photo.json', '{"format":"photo"}');
  await expect(learner.room).toContainText(
    'photo.json cannot be read: it is no saved progress of Engine Room. Your progress is as it was.',
  );
  await expect(learner.room).toContainText(`1 of ${LESSONS.length} checked`);
});

test('a word of the glossary is explained where it stands, by key, and goes away again', async ({
  learner,
}) => {
  await learner.open(first.lesson);
  await learner.finish(first.lesson, { answer: answerFirst });
  for (let back = 0; back < 2; back += 1)
    await learner.room.getByRole('button', { name: 'Back' }).press('Enter');
  const word = learner.room.getByRole('button', { name: 'runtime', exact: true });

  await word.press('Enter');
  await expect(learner.room.getByRole('note')).toContainText('makes a container out of a bundle');
  await expect(learner.room.getByRole('note').getByRole('link')).toHaveAttribute(
    'href',
    /runtime-spec/,
  );
  await word.press('Escape');
  await expect(learner.room.getByRole('note')).toBeHidden();
});

test('in the page that is one file a lesson needs no server', async ({
  page,
  browser,
}, testInfo) => {
  const file = testInfo.outputPath('offline.html');
  writeFileSync(file, await (await page.request.get('/offline.html')).body());
  const context = await browser.newContext();
  const requests: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  const alone = await context.newPage();
  await alone.goto(`file://${file}`);
  const learner = new LessonPage(alone);
  await learner.open(first.lesson);
  await expect(learner.room).toContainText('On recordings');

  await learner.finish(first.lesson, { answer: answerFirst });

  await expect(learner.room).toContainText('checked against the recording');
  expect(
    requests.filter((url) => !url.startsWith(`file://${file}`) && !/first-run/.test(url)),
  ).toEqual([]);
  await context.close();
});

test('in another language where there is a translation, and saying so where there is none', async ({
  learner,
  page,
}) => {
  const [second] = LESSONS.filter(({ translations }) => !translations.has('de'));
  const german = first.translations.get('de');
  if (!german || !second) throw new Error('the first lesson is to be translated, and not all are');
  await page.getByRole('button', { name: 'Deutsch', exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Lektionen', exact: true }).press('Enter');
  const room = page.getByRole('region', { name: 'Lektion' });

  await room.getByRole('button', { name: german.title }).press('Enter');
  await expect(room.getByRole('heading', { name: german.screens[0]!.title })).toBeVisible();
  await expect(room).not.toContainText('noch nicht auf Deutsch');
  await room.getByRole('button', { name: 'Alle Lektionen' }).press('Enter');
  await room.getByRole('button', { name: second.lesson.title }).press('Enter');

  await expect(room).toContainText('Diese Lektion gibt es noch nicht auf Deutsch');
  await expect(room.getByRole('heading', { name: second.lesson.title })).toBeVisible();
  await expect(learner.room).toBeHidden();
});

test('in print a lesson is whole: all screens, and nothing to press', async ({ learner, page }) => {
  await learner.open(first.lesson);
  await page.emulateMedia({ media: 'print' });

  for (const { title } of first.lesson.screens)
    await expect(learner.room.getByRole('heading', { name: title, level: 3 })).toBeVisible();
  await expect(learner.room.getByText('The client. It sends HTTP')).toBeVisible();
  await expect(learner.room.getByRole('button', { name: 'Next', exact: true })).toBeHidden();
  await expect(learner.room.getByRole('button', { name: 'Play the recording' })).toBeHidden();
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
  await learner.finish(first.lesson, { answer: answerFirst });
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

      await learner.finish(first.lesson, { answer: answerFirst });

      await room.expectNoAxeViolation('checked');
      await room.expectNoSidewaysScroll('checked');
      await testInfo.attach('checked', { body: await page.screenshot(), contentType: 'image/png' });
    });
