/** The page as a reader uses it: by roles, names and what is written on it. */
import { expect, type Locator, type Page } from '@playwright/test';
import axe, { type AxeResults, type RunOptions } from 'axe-core';

export class EngineRoomPage {
  readonly page: Page;
  readonly sendButton: Locator;
  readonly command: Locator;
  readonly caption: Locator;
  readonly output: Locator;
  readonly stage: Locator;
  readonly runs: Locator;
  readonly playhead: Locator;
  /** Whatever the console called an error, and whatever was thrown. */
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    this.sendButton = page.getByRole('button', { name: /Send Request|Sending/ });
    this.command = page.getByRole('textbox', { name: 'Command line' });
    this.caption = page.getByTestId('caption');
    this.output = page.getByTestId('container-output');
    this.stage = page.getByRole('region', { name: 'Stage' });
    this.runs = page.getByRole('region', { name: 'Runs' });
    this.playhead = page.getByRole('slider', { name: 'Playhead' });
    page.on('console', (message) => {
      if (message.type() === 'error')
        this.errors.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  /** Types a command line and sends it as a reader would. */
  async send(commandLine: string): Promise<void> {
    await this.command.fill(commandLine);
    await this.sendButton.click();
  }

  /** The newest line in the list of runs with these words in its command; the recorded run is none of ours. */
  lineOf(words: string): Locator {
    return this.runs
      .locator('li:not([data-origin="recording"])')
      .filter({ hasText: words })
      .first();
  }

  /** Waits until the run has ended and is shown, and puts the playhead after its last step. */
  async toTheEndOf(words: string): Promise<void> {
    const line = this.lineOf(words);
    await expect(this.endOf(words)).toContainText(/exit \d+|ended/, { timeout: 30_000 });
    await expect(line.getByRole('button').first()).toHaveAttribute('aria-current', 'true');
    // Where nothing has its own use for the key.
    await this.page.locator('h1').click();
    await this.press('End');
  }

  /** Opens a run from a file, as a reader would. */
  async open(name: string, buffer: Buffer): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: 'Open file' }).click();
    await (await chooser).setFiles({ name, mimeType: 'application/gzip', buffer });
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** `Step 9 of 24.` → [9, 24]. */
  async step(): Promise<readonly [number, number]> {
    const [, step, count] = /Step (\d+) of (\d+)\./.exec(await this.caption.innerText()) ?? [];
    return [Number(step), Number(count)];
  }

  /** Everything that the playhead decides, as one text: what two ways to the same step must agree on. */
  async drawn(): Promise<string> {
    const [caption, stage, output] = await Promise.all([
      this.caption.innerText(),
      this.stage.getByRole('button').allInnerTexts(),
      this.output.innerText(),
    ]);
    return [caption, ...stage, output].join('\n---\n');
  }

  async expectNoAxeViolation(what: string, options: RunOptions = {}): Promise<void> {
    if (await this.page.evaluate(() => !('axe' in globalThis)))
      await this.page.evaluate(axe.source);
    const violations = await this.page.evaluate(async (asked) => {
      const { run } = Reflect.get(globalThis, 'axe') as {
        run: (options: RunOptions) => Promise<AxeResults>;
      };
      return (await run({ ...asked, resultTypes: ['violations'] })).violations;
    }, options);
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    );
    expect(found, what).toEqual([]);
  }

  /** Roles and names are the same in dark and light, so only what is about colour is asked twice. */
  async expectNoAxeViolationInBothThemes(what: string): Promise<void> {
    await this.expectNoAxeViolation(`${what}, as it is`);
    const was = await this.#wear(null);
    await this.expectNoAxeViolation(`${what}, not in ${was}`, {
      runOnly: ['color-contrast', 'link-in-text-block'],
    });
    await this.#wear(was);
  }

  /** Puts on a theme, the other one for null, and answers which it was before. Colours on their way are none. */
  async #wear(theme: string | null): Promise<string> {
    return this.page.evaluate(async (wanted) => {
      const { dataset } = document.documentElement;
      const before = dataset['theme'] === 'light' ? 'light' : 'dark';
      dataset['theme'] = wanted ?? (before === 'light' ? 'dark' : 'light');
      const changes = document.getAnimations().filter((each) => each instanceof CSSTransition);
      await Promise.allSettled(changes.map(({ finished }) => finished));
      return before;
    }, theme);
  }

  async expectNoSidewaysScroll(what: string): Promise<void> {
    const [wide, shown] = await this.page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(wide, what).toBeLessThanOrEqual(shown ?? 0);
  }

  /** How the list says that a run ended: `exit 0`, or `ended` where nobody can know. */
  endOf(words: string): Locator {
    return this.lineOf(words).locator('.run-facts');
  }

  /** Running animations that last longer than a blink. */
  async longAnimations(): Promise<readonly string[]> {
    return this.page.evaluate(() =>
      document
        .getAnimations()
        .filter(({ playState }) => playState === 'running')
        .filter(({ effect }) => Number(effect?.getComputedTiming().duration ?? 0) > 200)
        .map(({ effect }) =>
          effect instanceof KeyframeEffect ? String(effect.target?.className) : '?',
        ),
    );
  }
}

export const SIZES = [
  { name: 'desk', width: 1440, height: 900 },
  { name: 'laptop', width: 1366, height: 768 },
  { name: 'phone', width: 390, height: 844 },
] as const;
export const THEMES = ['dark', 'light'] as const;
