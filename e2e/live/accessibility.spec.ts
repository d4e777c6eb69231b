/**
 * No axe violation and no sideways scrolling: on every screen that there is, in dark and light, while nothing happens,
 * while it plays, held, after a failure, and without a line to the lab. All screens look at one engine at the same
 * time, so each state is made once. `e2e/web` has every size of the page.
 */
import { expect, test as base, type BrowserContextOptions } from '@playwright/test';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';
import { EngineRoomPage } from '../support/page.ts';
import { keepPictures } from '../support/pictures.ts';
import { FIRST_LOAD_MS } from './live-test.ts';

const DESK: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true };

interface Screen {
  readonly name: string;
  readonly room: EngineRoomPage;
  /** Those of a room go where the presenter goes. */
  readonly follows: boolean;
}

type Open = (name: string, options: BrowserContextOptions, path?: string) => Promise<Screen>;

/** An engine of its own, because its lab is killed; one browser of the learner, and devices that share nothing with it. */
const test = base.extend<{ engine: OurEngine; screens: Screen[]; open: Open }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the names of what a fixture needs from this pattern
  engine: async ({}, use) => {
    const engine = await startOurEngine();
    await use(engine);
    await engine.stop();
  },
  // oxlint-disable-next-line no-empty-pattern -- as above
  screens: async ({}, use) => {
    const screens: Screen[] = [];
    await use(screens);
    await Promise.all(screens.map(({ room }) => room.page.close()));
  },
  open: async ({ browser, context, engine, screens }, use) => {
    await use(async (name, options, path) => {
      const follows = path !== undefined;
      const page = await (follows ? await browser.newContext(options) : context).newPage();
      await page.setViewportSize(options.viewport ?? { width: 1440, height: 900 });
      const screen = { name, follows, room: new EngineRoomPage(page) };
      screens.push(screen);
      await page.goto(follows ? new URL(path, engine.url).href : engine.url);
      const seen = follows ? page.getByRole('main') : page.getByText(/Live engine/).first();
      await expect(seen).toBeVisible({ timeout: FIRST_LOAD_MS });
      return screen;
    });
  },
});

const show = async ({ room }: Screen, words: string): Promise<void> => {
  const line = room.lineOf(words).getByRole('button').first();
  await expect(line).toBeVisible();
  await line.click();
  await room.toTheEndOf(words);
};

const play = async ({ room }: Screen): Promise<void> => {
  await room.page.locator('h1').first().click();
  await room.press('Home');
  const button = room.page.getByRole('button', { name: 'Play', exact: true });
  if (await button.isVisible()) await button.click();
  await expect(room.page.getByRole('button', { name: 'Pause', exact: true })).toBeVisible();
};

test('no screen has a violation, in any theme and any state', async ({ engine, open, screens }) => {
  test.setTimeout(600_000);
  const look = async (
    state: string,
    prepare?: (screen: Screen) => Promise<void>,
  ): Promise<void> => {
    for (const screen of screens) {
      const { name, room } = screen;
      await prepare?.(screen);
      await room.expectNoAxeViolationInBothThemes(`${name}, ${state}`);
      await room.expectNoSidewaysScroll(`${name}, ${state}`);
      if (name === 'the page') await keepPictures(room, state);
    }
  };

  const desk = await open('the presenter', DESK);
  await desk.room.page.getByRole('button', { name: 'Present', exact: true }).click();
  const code = await desk.room.page.locator('.room-code').innerText();
  const lesson = await open('a lesson', DESK);
  await lesson.room.page.getByRole('button', { name: 'Lessons', exact: true }).click();
  await lesson.room.page.getByRole('button', { name: /^1\. / }).click();
  const pages = [desk, await open('the page', DESK), await open('the page on a phone', PHONE)];
  await open('the door of a room', PHONE, '/room');
  await open('a follower', PHONE, `/room/${code}`);
  await open('the projector', DESK, `/present/${code}`);
  await open('the clicker', PHONE, `/room/${code}#clicker=none`);
  await look('idle');

  await desk.room.send('docker run --rm busybox echo long');
  for (const screen of pages) await show(screen, 'echo long');
  await look('playing', (screen) => play(screen.follows ? desk : screen));

  await desk.room.send('docker run --rm busybox nosuchprogram');
  for (const screen of pages) await show(screen, 'nosuchprogram');
  await desk.room.send('docker run --privileged busybox true');
  const request = desk.room.page.getByRole('region', { name: 'Request' });
  await expect(request).toContainText(/privileged/);
  await look('failed');

  await desk.room.page.locator('h1').click();
  await desk.room.press('b');
  const gates = desk.room.page.getByRole('dialog', { name: 'Hold the next request' });
  await gates.getByRole('checkbox', { name: /created-not-started/ }).check();
  await gates.getByRole('button', { name: 'Done' }).click();
  await desk.room.send('docker run --rm busybox echo held');
  for (const { room } of pages) {
    await room.lineOf('echo held').getByRole('button').first().click();
    await expect(room.page.getByRole('region', { name: /^Held:/ })).toBeVisible();
  }
  await look('held');

  await engine.killLab();
  for (const { room } of pages)
    await expect(room.page.getByText(/Connection lost\. Reconnecting/).first()).toBeVisible();
  await look('disconnected');
});
