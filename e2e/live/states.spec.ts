/**
 * Every state of the page on a living engine, in the order in which a newcomer meets them, each kept as a picture in
 * dark, light and on a phone. What the recorded page goes through is in `e2e/web`.
 */
import { test as base, type Page } from '@playwright/test';
import { startLabWithoutRoot, startOurEngine } from '../support/our-engine.ts';
import { EngineRoomPage, SIZES } from '../support/page.ts';
import { FIRST_LOAD_MS } from './live-test.ts';

const { expect } = base;
const test = base;

const [desk, , phone] = SIZES;
const LOOKS = [
  [desk, 'dark'],
  [desk, 'light'],
  [phone, 'dark'],
] as const;

const keep = async (room: EngineRoomPage, state: string): Promise<void> => {
  const { page } = room;
  for (const [size, theme] of LOOKS) {
    await page.setViewportSize(size);
    await page.evaluate((name) => {
      document.documentElement.dataset['theme'] = name;
    }, theme);
    await room.expectNoSidewaysScroll(`${state}, ${size.name}`);
    await test.info().attach(`${state}-${size.name}-${theme}`, {
      body: await page.screenshot(),
      contentType: 'image/png',
    });
  }
  await page.setViewportSize(desk);
  await page.evaluate(() => {
    document.documentElement.dataset['theme'] = 'dark';
  });
};

const levelOf = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });

test('first visit, sending, overview, live and behind, failed, busy, disconnected', async ({
  page,
}) => {
  test.setTimeout(300_000);
  const engine = await startOurEngine();
  try {
    const room = new EngineRoomPage(page);
    await page.goto(engine.url);
    await expect(page.getByText(/Live engine/).first()).toBeVisible({ timeout: FIRST_LOAD_MS });
    await expect(room.caption).toContainText('This is a recorded run.');
    await keep(room, 'first-visit');

    // The line to the lab is slow: the button says at once that it was pressed, and then who is waited for.
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/api/runs', async (route) => {
      await slow;
      await route.continue();
    });
    await room.sendButton.click();
    await expect(room.sendButton).toHaveText('Sending…');
    await expect(page.getByText('Waiting for the engine')).toBeVisible();
    await keep(room, 'sending');
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
    await keep(room, 'overview');
    await page.locator('h1').click();
    await room.press('ArrowRight');
    await expect(levelOf(page, 'Steps')).toBeChecked();
    await expect.poll(async () => (await room.step())[0]).toBe(1);

    const transport = page.locator('.transport');
    const before = await transport.boundingBox();
    await room.send(
      "docker run --rm --name ticks busybox sh -c 'while true; do date; sleep 1; done'",
    );
    await expect(room.lineOf('ticks')).toContainText('running', { timeout: 30_000 });
    await expect(room.output).toContainText(/\d\d:\d\d:\d\d/, { timeout: 60_000 });
    await keep(room, 'live');
    await page.locator('h1').click();
    await room.press('Home');
    const behind = page.getByRole('button', { name: /\d+ steps behind: catch up/ });
    await expect(behind).toBeVisible();
    expect((await transport.boundingBox())?.height).toBe(before?.height);
    await keep(room, 'behind');
    await behind.click();
    await expect(behind).toBeHidden();
    const [step, count] = await room.step();
    expect(count - step).toBeLessThan(2);

    const refused = page.getByRole('region', { name: 'Request' });
    for (let more = 2; more <= 4; more += 1) {
      await room.send(`docker run --rm --name ticks${more} busybox sleep 600`);
      await expect(room.lineOf(`ticks${more}`)).toContainText('running', { timeout: 30_000 });
    }
    await room.send('docker run --rm busybox echo one too many');
    await expect(refused).toContainText('4 of your commands are still going on');
    await keep(room, 'busy');
    for (const stop of await room.runs.getByRole('button', { name: 'Stop', exact: true }).all())
      await stop.click();
    await expect(room.runs.getByText('running')).toHaveCount(0, { timeout: 60_000 });

    await room.send('docker run --rm busybox nosuchprogram');
    await room.toTheEndOf('nosuchprogram');
    await expect(page.getByRole('button', { name: 'See why' })).toBeVisible();
    await keep(room, 'failed');
    await page.getByRole('button', { name: 'See why' }).click();
    await expect(room.caption).toContainText('✕');
    await keep(room, 'failed-step');

    await engine.killLab();
    await expect(page.getByText(/Connection lost\. Reconnecting/).first()).toBeVisible();
    await expect(room.sendButton).toHaveAttribute('aria-disabled', 'true');
    await keep(room, 'disconnected');
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
    await keep(room, 'cannot-launch');
    await room.expectNoAxeViolation('cannot launch');
  } finally {
    await lab.stop();
  }
});
