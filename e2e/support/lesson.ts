/** Goes through a lesson as a learner does who has no pointer: every act is a key pressed where the focus is. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Prediction } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Block, Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { Value } from '../../apps/engine/src/protocol/lesson/predicate.ts';

type Answers = Readonly<Record<string, Value>>;

export class LessonPage {
  readonly page: Page;
  readonly room: Locator;
  /** Of the screen that is shown. */
  #runsDone = 0;

  constructor(page: Page) {
    this.page = page;
    this.room = page.getByRole('region', { name: 'Lesson' });
  }

  async open({ number, title }: Lesson): Promise<void> {
    const name = `${number}. ${title}`;
    if (!(await this.room.isVisible()))
      await this.page.getByRole('button', { name: 'Lessons', exact: true }).press('Enter');
    await this.room.getByRole('button', { name }).press('Enter');
    await expect(this.room.getByRole('heading', { name })).toBeVisible();
  }

  /** From the first screen to "checked". */
  async finish(lesson: Lesson, answers: Answers, { isRight = true } = {}): Promise<void> {
    for (const [index, { title, blocks }] of lesson.screens.entries()) {
      if (index > 0)
        await this.room.getByRole('button', { name: 'Next', exact: true }).press('Enter');
      await expect(this.room.getByRole('heading', { name: title, level: 3 })).toBeVisible();
      this.#runsDone = 0;
      for (const block of blocks) await this.#act(block, lesson, answers);
    }
    if (isRight) await expect(this.room.getByText(`Lesson ${lesson.number} checked`)).toBeVisible();
  }

  async #act(block: Block, lesson: Lesson, answers: Answers): Promise<void> {
    if (block.t === 'predict') {
      const prediction = lesson.predictions.find(({ id }) => id === block.id);
      if (prediction) await this.#predict(prediction, answers[block.id] ?? null);
    }
    if (block.t === 'run') {
      const run = this.#visible('.block-run').nth(this.#runsDone);
      this.#runsDone += 1;
      await run
        .getByRole('button', { name: /^(Run|Send the signal|I have typed it|Play the recording)$/ })
        .press('Enter');
      await expect(run.getByRole('status')).toContainText(/ended with exit|sent;/, {
        timeout: 30_000,
      });
    }
    if (block.t === 'compare') {
      const compared = this.#visible('.block-compare').last();
      await expect(compared).toContainText(/The (engine|recording) says/, { timeout: 30_000 });
    }
    if (block.t === 'check') {
      await this.room.getByRole('button', { name: 'Check', exact: true }).press('Enter');
    }
    if (block.t === 'reveal') for (const inner of block.c) await this.#act(inner, lesson, answers);
  }

  async #predict(prediction: Prediction, answer: Value): Promise<void> {
    const form = this.#visible('form').filter({ hasText: prediction.ask });
    if (prediction.kind === 'choice') {
      const say = prediction.options.find(({ id }) => id === answer)?.say ?? '';
      await form.getByRole('radio', { name: say }).press(' ');
    } else if (prediction.kind === 'number') {
      await form.getByRole('textbox').press('Home');
      await this.page.keyboard.type(String(answer));
    } else await this.#order(form, prediction.options, Array.isArray(answer) ? answer : []);
    await form.getByRole('button', { name: 'Lock my answer' }).press('Enter');
    await expect(form).toContainText('Locked');
  }

  async #order(
    form: Locator,
    options: readonly { readonly id: string; readonly say: string }[],
    wanted: readonly string[],
  ): Promise<void> {
    const now = options.map(({ id }) => id);
    for (const [place, id] of wanted.entries()) {
      const say = options.find((option) => option.id === id)?.say ?? '';
      for (let at = now.indexOf(id); at > place; at -= 1) {
        await form.getByRole('button', { name: `Move ${say} up`, exact: true }).press('Enter');
        now.splice(at - 1, 0, ...now.splice(at, 1));
      }
    }
  }

  #visible(selector: string): Locator {
    return this.room.locator(selector).filter({ visible: true });
  }
}
