/** Goes through a lesson as a learner does who has no pointer: every act is a key pressed where the focus is. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Prediction } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Block, Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { Value } from '../../apps/engine/src/protocol/lesson/predicate.ts';

/** How a learner goes through it. */
interface Way {
  /** What is said to a prediction; asked at the moment when it is to be said. */
  readonly answer: (prediction: string) => Value | Promise<Value>;
  /** What is done beside the page. */
  readonly beforeRun?: (run: string) => Promise<void>;
  /** While the run goes on, such as one that is held. */
  readonly duringRun?: (run: string) => Promise<void>;
  /** Types the command that a lesson offers into its terminal, where there is an engine. */
  readonly hasTerminal?: boolean;
  readonly afterRun?: (run: string) => Promise<void>;
  /** False when it is not to end in "checked". */
  readonly isRight?: boolean;
}

export class LessonPage {
  readonly page: Page;
  readonly room: Locator;

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
  async finish(lesson: Lesson, way: Way): Promise<void> {
    for (const [index, { title, blocks }] of lesson.screens.entries()) {
      if (index > 0) await this.next();
      await expect(this.room.getByRole('heading', { name: title, level: 3 })).toBeVisible();
      for (const block of blocks) await this.#act(block, lesson, way);
    }
    if (way.isRight ?? true)
      await expect(this.room.getByText(`Lesson ${lesson.number} checked`)).toBeVisible();
  }

  async goTo({ screens }: Lesson, title: string): Promise<void> {
    const at = screens.findIndex((screen) => screen.title === title);
    for (let screen = 0; screen < at; screen += 1) await this.next();
    await expect(this.room.getByRole('heading', { name: title, level: 3 })).toBeVisible();
  }

  async goToLastScreen(lesson: Lesson): Promise<void> {
    await this.goTo(lesson, lesson.screens.at(-1)?.title ?? '');
  }

  async next(): Promise<void> {
    await this.room.getByRole('button', { name: 'Next', exact: true }).press('Enter');
  }

  /** The traces of the runs so far, as the page keeps them. */
  async runs({ id }: Lesson): Promise<Record<string, string>> {
    const kept = await this.page.evaluate(() => localStorage.getItem('engine-room.lessons'));
    const lessons = JSON.parse(kept ?? '{}') as Record<string, { runs?: Record<string, string> }>;
    return lessons[id]?.runs ?? {};
  }

  /** Presses the button of a run; what comes of it is for the caller to see. */
  async run(id: string): Promise<Locator> {
    const run = this.#visible(`.block-run[data-run="${id}"]`);
    await run
      .getByRole('button', { name: /^(Run|Send the signal|I have typed it|Play the recording)/ })
      .press('Enter');
    return run;
  }

  async predict({ predictions }: Lesson, id: string, answer: Value): Promise<void> {
    const prediction = predictions.find((each) => each.id === id);
    if (prediction) await this.#predict(prediction, answer);
  }

  async #act(block: Block, lesson: Lesson, way: Way): Promise<void> {
    if (block.t === 'predict') await this.predict(lesson, block.id, await way.answer(block.id));
    if (block.t === 'run') {
      await way.beforeRun?.(block.id);
      const run = await this.run(block.id);
      await way.duringRun?.(block.id);
      await expect(run.getByRole('status')).toContainText(/ended with exit|sent;|seen:/, {
        timeout: 30_000,
      });
      await way.afterRun?.(block.id);
    }
    if (block.t === 'compare') {
      const compared = this.#visible('.block-compare').last();
      await expect(compared).toContainText(/The (engine|recording) says/, { timeout: 30_000 });
    }
    if (block.t === 'check')
      await this.room.getByRole('button', { name: 'Check', exact: true }).press('Enter');
    if (block.t === 'terminal') await this.#inTerminal(block.command, way.hasTerminal ?? false);
    if (block.t === 'reveal') for (const inner of block.c) await this.#act(inner, lesson, way);
  }

  /** Opens it, sends what stands at its prompt, waits for the next prompt, and leaves it. */
  async #inTerminal(command: string, isLive: boolean): Promise<void> {
    const block = this.#visible('.block-terminal').filter({ hasText: command });
    if (!isLive) return expect(block).toContainText('There is no engine here');
    await block.getByRole('button', { name: 'Open a terminal' }).press('Enter');
    await expect(block.getByRole('textbox', { name: 'Terminal input' })).toBeFocused();
    const screen = block.locator('.xterm-rows');
    await expect(screen).toContainText(`$ ${command}`);
    await this.page.keyboard.press('Enter');
    await expect
      .poll(async () => (await screen.innerText()).trimEnd().endsWith('$'), { timeout: 30_000 })
      .toBe(true);
    for (const key of ['Escape', 'Escape']) await this.page.keyboard.press(key);
    const close = block.getByRole('button', { name: 'Close the terminal' });
    await expect(close).toBeFocused();
    await close.press('Enter');
    await expect(screen).toBeHidden();
  }

  async #predict(prediction: Prediction, answer: Value): Promise<void> {
    const form = this.#visible('form').filter({ hasText: prediction.ask });
    if (prediction.kind === 'choice') {
      const say = prediction.options.find(({ id }) => id === answer)?.say ?? '';
      await form.getByRole('radio', { name: say, exact: true }).press(' ');
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
