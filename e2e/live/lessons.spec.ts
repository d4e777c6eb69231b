/** A newcomer's first lesson on the real engine, by keyboard alone. */
import { tidyingUp } from '../../apps/engine/src/protocol/lesson/runs.ts';
import { readLessons } from '../../scripts/lessons/read-lessons.ts';
import { LessonPage } from '../support/lesson.ts';
import { expect, test } from './live-test.ts';

const literal = (answers: Readonly<Record<string, unknown>>) =>
  answers as Readonly<Record<string, string | string[]>>;

for (const number of [1, 2, 3, 9]) {
  const folder = readLessons().find(({ lesson }) => lesson.number === number);
  if (!folder) throw new Error(`there is no lesson ${number}`);
  const { lesson, solution } = folder;

  test(`lesson ${number} is finished on the real engine by keyboard alone, and once more`, async ({
    room,
    docker,
  }) => {
    const learner = new LessonPage(room.page);
    await learner.open(lesson);
    await expect(learner.room).not.toContainText('On recordings');

    await learner.finish(lesson, literal(solution.answers));

    await expect(learner.room).not.toContainText('recording');
    // What the first attempt has left is removed before the second.
    await learner.room.getByRole('button', { name: 'Start over' }).press('Enter');
    await learner.finish(lesson, literal(solution.answers));
    for (const command of tidyingUp(lesson.runs)) await docker.ok(command.split(' ').slice(1));
  });
}

test('a check before the run says what is missing', async ({ room }) => {
  const folder = readLessons()[0]!;
  const learner = new LessonPage(room.page);
  await learner.open(folder.lesson);
  for (let screen = 1; screen < folder.lesson.screens.length; screen += 1)
    await learner.room.getByRole('button', { name: 'Next', exact: true }).press('Enter');

  await learner.room.getByRole('button', { name: 'Check', exact: true }).press('Enter');

  await expect(learner.room).toContainText(
    'Make the run first: docker run --rm busybox echo hello',
  );
});
