/**
 * What a newcomer meets on a living engine, and what on a machine without one, each kept as a picture in dark, light
 * and on a phone. Playing, failed, held and disconnected: `accessibility.spec.ts`; a newer file: `../web/run-files.spec.ts`.
 */
import { test as base, type Page } from '@playwright/test';
import { startLabWithoutRoot, startOurEngine } from '../support/our-engine.ts';
import { EngineRoomPage } from '../support/page.ts';
import { keepPictures } from '../support/pictures.ts';
import { FIRST_LOAD_MS, openLive } from './live-test.ts';

const { expect } = base;
const test = base;

const levelOf = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });

test('first visit, sending, and an overview that leads to the steps', async ({ page }) => {
  test.setTimeout(300_000);
  const engine = await startOurEngine();
  try {
    const room = await openLive(page, engine);
    await expect(room.caption).toContainText('This is a recorded run.');
    await keepPictures(room, 'first-visit');

    // The line to the lab is slow: the button says at once that it was pressed, and then who is waited for.
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/api/run', async (route) => {
      await slow;
      await route.continue();
    });
    await room.sendButton.click();
    await expect(room.sendButton).toHaveText('Sending…');
    await expect(page.getByText('Waiting for the engine')).toBeVisible();
    await keepPictures(room, 'sending');
    letGo();

    // A newcomer's first run goes by in chapters, and ends with what to do next.
    await expect(levelOf(page, 'Chapters')).toBeChecked({ timeout: 30_000 });
    await expect(room.caption).toContainText(
      /[\d.]+ ms, and [5-9] programs took part\. Now step through it: press →/,
      { timeout: 60_000 },
    );
    await expect(room.output).toContainText('hello');
    await expect(page.getByText('learning')).toBeVisible();
    await expect(page.getByTestId('real-clock')).toBeVisible();
    await keepPictures(room, 'overview');
    await page.locator('h1').click();
    await room.press('ArrowRight');
    await expect(levelOf(page, 'Steps')).toBeChecked();
    await expect.poll(async () => (await room.step())[0]).toBe(1);
  } finally {
    await engine.stop();
  }
});

test('a machine that cannot start containers says so and why, and its recordings play', async ({
  page,
}) => {
  const lab = await startLabWithoutRoot();
  try {
    const room = new EngineRoomPage(page);
    await page.goto(lab.url);
    await expect(
      page
        .getByText(/This machine cannot start containers \(.*root.*\)\. Runs are recordings\./)
        .first(),
    ).toBeVisible({ timeout: FIRST_LOAD_MS });
    await expect(room.sendButton).toHaveAttribute('aria-disabled', 'true');
    await page.locator('h1').click();
    await room.press('End');
    await expect(room.output).toContainText('hello');
    await keepPictures(room, 'cannot-launch');
    await room.expectNoAxeViolation('cannot launch');
  } finally {
    await lab.stop();
  }
});

test('a run that is ahead of its reader says by how many steps, and can be caught up with', async ({
  page,
}) => {
  const engine = await startOurEngine();
  try {
    const room = await openLive(page, engine);
    await page.getByRole('radio', { name: 'Step', exact: true }).check({ force: true });
    await levelOf(page, 'Steps').check({ force: true });
    await room.send('docker run --rm busybox sh -c "echo ahead; sleep 1000"');
    const behind = page.getByRole('button', { name: /\d+ steps behind/ });
    await expect(behind).toBeVisible({ timeout: 30_000 });
    const [step] = await room.step();
    const steps = async (): Promise<number> => parseInt(await behind.innerText(), 10);
    // Whatever goes on happening, the reader stays where they are.
    await expect.poll(steps, { timeout: 30_000 }).toBeGreaterThan(5);
    expect((await room.step())[0]).toBe(step);
    await keepPictures(room, 'behind');
    await room.expectNoAxeViolation('behind');

    await behind.click();
    await expect(behind).toBeHidden();
    await expect(room.output).toContainText('ahead');
    const [last, count] = await room.step();
    expect(last).toBe(count);
    await room.lineOf('echo ahead').getByRole('button', { name: 'Stop' }).click();
    await expect(room.endOf('echo ahead')).toContainText(/exit \d+/, { timeout: 30_000 });
  } finally {
    await engine.stop();
  }
});

test('where as much goes on as the lab takes, requests wait in a line and may leave it', async ({
  page,
  browser,
}) => {
  const engine = await startOurEngine(['--max-runs', '1']);
  try {
    const another = async (): Promise<Page> => (await browser.newContext()).newPage();
    const first = await openLive(await another(), engine);
    const second = await openLive(await another(), engine);
    const third = await openLive(page, engine);
    await first.send('docker run --rm busybox sleep 1000');
    await expect(first.lineOf('sleep 1000')).toBeVisible({ timeout: 30_000 });
    await second.send('docker run --rm busybox echo second');
    await expect(second.page.getByText('Yours is the next')).toBeVisible();
    await third.send('docker run --rm busybox echo third');
    await expect(page.getByText('1 more is ahead of yours')).toBeVisible();
    await keepPictures(third, 'in-line');
    await third.expectNoAxeViolationInBothThemes('in line');

    await second.page.getByRole('button', { name: 'Do not wait' }).click();
    await expect(second.sendButton).toHaveText('Send Request');
    await expect(page.getByText('Yours is the next')).toBeVisible();
    await first.lineOf('sleep 1000').getByRole('button', { name: 'Stop' }).click();
    await expect(third.endOf('echo third')).toContainText('exit 0', { timeout: 30_000 });
    await expect(third.sendButton).toHaveText('Send Request');
    await expect(second.lineOf('echo second')).toHaveCount(0);
  } finally {
    await engine.stop();
  }
});
