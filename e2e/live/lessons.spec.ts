/**
 * The lessons on the real engine, by keyboard alone. `LESSONS=001,009` chooses some, `LESSONS=all` takes every one.
 * What a learner does beside the page (a request of a program of theirs, a command in a terminal, a look with a
 * browser) is done here beside the page, too.
 */
import { test as base, type Page } from '@playwright/test';
import type { Solution } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { Value } from '../../apps/engine/src/protocol/lesson/predicate.ts';
import { commandOf, tidyingUp } from '../../apps/engine/src/protocol/lesson/runs.ts';
import { LabClient } from '../../scripts/lessons/lab-client.ts';
import { answerOf, visit } from '../../scripts/lessons/play-solution.ts';
import { readLessons } from '../../scripts/lessons/read-lessons.ts';
import { LessonPage } from '../support/lesson.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { expect, test as live } from './live-test.ts';

const test = live.extend<{ beside: Beside }>({
  beside: async ({ engine, room }, use) => {
    // The same learner as the page, which its browser's cookie says.
    const cookies = await room.page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const lab = new LabClient(engine.url, engine.socket, { cookie });
    await use(new Beside(lab));
    lab.close();
  },
});

/** What is done beside the page. */
class Beside {
  readonly lab: LabClient;

  constructor(lab: LabClient) {
    this.lab = lab;
  }

  /** Before the run: what a learner types elsewhere and then tells the page. */
  async before(lesson: Lesson, id: string): Promise<void> {
    const run = lesson.runs[id];
    if (run && 'outside' in run) await this.lab.outside(run.outside);
  }

  /** During the run: who is held is looked at, by key, and let go. */
  async during({ runs }: Lesson, id: string, page: Page): Promise<void> {
    const run = runs[id];
    if (!run || !('command' in run) || run.gate === undefined) return;
    const held = page.getByRole('region', { name: /^Held: / });
    await expect(held).toBeVisible({ timeout: 30_000 });
    await expect(page.locator(`.block-run[data-run="${id}"]`)).toContainText('held at its gate');
    // It sleeps, it is process 1 inside, and it is not the program yet.
    await expect(held).toContainText('runc:[init]');
    await expect(held).toContainText(/\d+ → 1/);
    await held.getByRole('button', { name: 'Continue' }).press('Enter');
    await expect(held).toBeHidden();
  }

  /** After the run: the steps of the solution that are no runs, up to the next one. */
  async after({ steps }: Solution, id: string): Promise<void> {
    const at = steps.findIndex((step) => 'run' in step && step.run === id);
    for (const step of steps.slice(at + 1)) {
      if ('run' in step) return;
      if ('continue' in step) continue;
      if ('visit' in step) await visit(step.visit);
      else if ('request' in step) await this.lab.request(step.request.slice('GET '.length));
      else await this.lab.run(step.command);
    }
  }
}

const asked = process.env['LESSONS'] ?? '001,002,009,015';
const FOLDERS = readLessons();
const chosen = FOLDERS.filter(
  ({ lesson }) => asked === 'all' || asked.split(',').includes(lesson.id.slice(0, 3)),
);
if (chosen.length === 0) throw new Error(`LESSONS=${asked} names no lesson`);

/** What only the run will show is asked before it: a learner guesses, and a wrong guess is no wrong check. */
const guessOf = ({ predictions }: Lesson, id: string): Value => {
  const prediction = predictions.find((each) => each.id === id);
  return prediction?.kind === 'choice' ? (prediction.options[0]?.id ?? null) : null;
};

const finish = async (
  learner: LessonPage,
  { lesson, solution }: (typeof FOLDERS)[number],
  { beside, answers }: { readonly beside: Beside; readonly answers?: Record<string, Value> },
): Promise<void> =>
  learner.finish(lesson, {
    answer: async (id) => {
      const said = answers?.[id] ?? solution.answers[id] ?? null;
      return (await answerOf(beside.lab, said, await learner.runs(lesson))) ?? guessOf(lesson, id);
    },
    beforeRun: (id) => beside.before(lesson, id),
    hasTerminal: true,
    duringRun: (id) => beside.during(lesson, id, learner.page),
    afterRun: (id) => beside.after(solution, id),
  });

for (const folder of chosen)
  test(`${folder.lesson.id} is finished on the real engine by keyboard alone`, async ({
    room,
    beside,
  }) => {
    const { lesson } = folder;
    const learner = new LessonPage(room.page);
    await learner.open(lesson);
    await expect(learner.room).not.toContainText('On recordings');

    await finish(learner, folder, { beside });

    await expect(learner.room).not.toContainText(/On recordings|against the recording/);
    for (const command of tidyingUp(lesson.runs)) await beside.lab.run(command);
  });

const lessonOf = (number: string): (typeof FOLDERS)[number] => {
  const folder = FOLDERS.find(({ lesson }) => lesson.id.startsWith(number));
  if (!folder) throw new Error(`there is no lesson ${number}`);
  return folder;
};

test('what a first attempt has left is removed before the second', async ({ room, beside }) => {
  const folder = lessonOf('015');
  const learner = new LessonPage(room.page);
  await learner.open(folder.lesson);
  await finish(learner, folder, { beside });

  await learner.room.getByRole('button', { name: 'Start over' }).press('Enter');
  await finish(learner, folder, { beside });

  for (const command of tidyingUp(folder.lesson.runs)) await beside.lab.run(command);
});

test('a check before the run says what is missing', async ({ room }) => {
  const { lesson } = lessonOf('001');
  const learner = new LessonPage(room.page);
  await learner.open(lesson);
  await learner.goToLastScreen(lesson);

  await learner.room.getByRole('button', { name: 'Check', exact: true }).press('Enter');

  await expect(learner.room).toContainText(
    `Make the run first: ${commandOf(lesson.runs['first']!)}`,
  );
});

test('a wrong answer of the learner’s is told as what was seen, with a hint', async ({
  room,
  beside,
}) => {
  const folder = lessonOf('005');
  const learner = new LessonPage(room.page);
  await learner.open(folder.lesson);

  // A number that no process has, and of the length that the field takes at most.
  await learner.finish(folder.lesson, {
    answer: (id) => Promise.resolve(id === 'pid' ? 999_999_999_999 : 'dockerd'),
    isRight: false,
  });

  await expect(learner.room).toContainText('Not yet: You have read its pid off the machine.');
  await expect(learner.room).toContainText('compared with 999999999999');
  await expect(learner.room).toContainText('node on the stage shows its pid');
  await beside.lab.run('docker rm -f child');
});

test('the terminal in a lesson begins with its command, takes others, and refuses what the page may not do', async ({
  room,
  beside,
}) => {
  const { lesson } = lessonOf('015');
  const learner = new LessonPage(room.page);
  await learner.open(lesson);
  await learner.goTo(lesson, 'Ask dockerd');
  await learner.room.getByRole('button', { name: 'Open a terminal' }).press('Enter');
  await expect(room.page.getByRole('textbox', { name: 'Terminal input' })).toBeFocused();
  const screen = learner.room.locator('.xterm-rows');
  await expect(screen).toContainText('$ docker volume inspect notes');
  const { keyboard } = room.page;

  await keyboard.press('Control+U');
  await keyboard.type('docker volume create notes-of-one-who-writes-much');
  await keyboard.press('Enter');
  // A line that is longer than the terminal is wide stands there once, and its answer below it.
  await expect(screen).toContainText(/writes-\s*much\s*\nnotes-of-one-who-writes-much/, {
    timeout: 30_000,
    useInnerText: true,
  });
  expect((await screen.innerText()).match(/volume create/g)).toHaveLength(1);
  await keyboard.type('docker run -v /:/host busybox ls /host');
  await keyboard.press('Enter');
  await expect(screen).toContainText('from the page a container may mount a volume of yours');
  await room.expectNoAxeViolation('the terminal in a lesson');
  await beside.lab.run('docker volume rm notes-of-one-who-writes-much');
});

base(
  'an engine that dies in mid-lesson is told where one is, and progress is kept',
  async ({ page }) => {
    const { lesson } = lessonOf('015');
    const engine = await startOurEngine();
    try {
      await page.goto(engine.url);
      await expect(page.getByText(/Live engine/).first()).toBeVisible();
      const learner = new LessonPage(page);
      await learner.open(lesson);
      await expect((await learner.run('make')).getByRole('status')).toContainText('exit 0');
      await learner.predict(lesson, 'left', 'none');
      await learner.next();

      await engine.killLab();
      const write = await learner.run('write');
      await expect(write.getByRole('alert')).toContainText('the lab cannot be reached');

      await engine.restartLab();
      await expect(page.getByText(/Live engine/).first()).toBeVisible({ timeout: 60_000 });
      await learner.run('write');
      await expect(write.getByRole('status')).toContainText('docker ended with exit 0');
      await expect(write.getByRole('alert')).toBeHidden();
      // A new page finds the learner where they were.
      await page.reload();
      await expect(learner.room.getByRole('heading', { name: 'Write twice' })).toBeVisible();
      await learner.room.getByRole('button', { name: 'Back' }).press('Enter');
      await expect(learner.room).toContainText('Locked');
    } finally {
      await engine.stop();
    }
  },
);
