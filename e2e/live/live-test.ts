/** `test` with an engine for each worker and a page that is open on it. */
import { test as base, expect, type Page } from '@playwright/test';
import { dockerFor, type Docker } from '../support/docker.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';
import { EngineRoomPage } from '../support/page.ts';

/** On a machine that does much else the first load may take its time. */
export const FIRST_LOAD_MS = 30_000;

/** Resolves when the page has heard from the lab. */
export const openLive = async (page: Page, { url }: OurEngine): Promise<EngineRoomPage> => {
  const room = new EngineRoomPage(page);
  await page.goto(url);
  await expect(page.getByText(/Live engine/).first()).toBeVisible({ timeout: FIRST_LOAD_MS });
  return room;
};

export const test = base.extend<{ room: EngineRoomPage; docker: Docker }, { engine: OurEngine }>({
  engine: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the names of what a fixture needs from this pattern
    async ({}, use) => {
      const engine = await startOurEngine();
      await use(engine);
      await engine.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  docker: async ({ engine }, use) => {
    await use(dockerFor(engine));
  },
  room: async ({ page, engine }, use) => {
    const room = await openLive(page, engine);
    await use(room);
    // A refusal is an answer with 4xx, and the browser itself writes that down.
    const errors = room.errors.filter((error) => !/status of (400|403|409|429)/.test(error));
    expect(errors, 'errors in the console').toEqual([]);
  },
});

export { expect };
