/** What a first visit fetches: a handful of scripts, those that `.size-limit.json` weighs, and nothing of anybody else. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from '@playwright/test';

const [{ path: WEIGHED }] = JSON.parse(
  readFileSync(new URL('../../.size-limit.json', import.meta.url), 'utf8'),
) as [{ path: string[] }];

/** `Stage-*.js` and `Stage-Dkwo6Epc.js` → `Stage`. */
const chunkOf = (name: string): string => basename(name).replace(/-[^-]*\.js$|-.{8}\.js$/, '');

test('a handful of scripts, all of them weighed, and no request to others', async ({
  page,
  baseURL,
}) => {
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));

  await page.goto('/', { waitUntil: 'networkidle' });
  await expect(page.getByRole('region', { name: 'Stage' }).getByRole('button')).not.toHaveCount(0);

  const scripts = asked.filter((url) => url.endsWith('.js')).map(chunkOf);
  expect(new Set(scripts)).toEqual(new Set(WEIGHED.map(chunkOf)));
  expect(scripts.length).toBeLessThanOrEqual(5);
  expect(asked.filter((url) => !url.startsWith(baseURL ?? '?'))).toEqual([]);
});

test('on a phone nothing jumps while the page loads, nor when it looks for an engine again', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  let attempts = 0;
  await page.routeWebSocket(/\/api\/stream/, (line) => {
    attempts += 1;
    return line.close();
  });
  await page.addInitScript(() => {
    Object.assign(globalThis, { shifted: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        Object.assign(globalThis, {
          shifted: Number(Reflect.get(globalThis, 'shifted')) + Number(Reflect.get(entry, 'value')),
        });
    }).observe({ type: 'layout-shift', buffered: true });
  });

  await page.goto('/');
  await expect(page.getByTestId('caption')).toContainText(/Step 0 of \d+/);
  await expect.poll(() => attempts).toBeGreaterThanOrEqual(3);

  expect(await page.evaluate(() => Number(Reflect.get(globalThis, 'shifted')))).toBeLessThan(0.02);
});

test('what fails to load is loaded again: the page itself, and what it fetches later', async ({
  page,
}) => {
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
  // As when a container gets its cable while the page loads: the preload fails and so does the import, for as long as
  // this page lives. Some releases of Chromium would heal an import after a failed preload.
  let pages = 0;
  page.on('framenavigated', () => (pages += 1));
  const failed = new Map<string, number>();
  await page.route(/\/assets\/(page|Stage|de|ShortcutsDialog)-.*\.js$/, (route) => {
    const name = chunkOf(route.request().url());
    if (!failed.has(name)) failed.set(name, pages);
    return failed.get(name) === pages ? route.abort('failed') : route.continue();
  });

  await page.goto('/?lang=de');
  await expect(page.getByRole('region', { name: 'Bühne' }).getByRole('button')).not.toHaveCount(0);
  const openHelp = async () => {
    await page.locator('h1').click();
    await page.keyboard.press('?');
  };
  const loaded = page.waitForEvent('load');
  await openHelp();
  await loaded;
  await expect(page.getByRole('region', { name: 'Bühne' }).getByRole('button')).not.toHaveCount(0);
  await openHelp();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect([...failed.keys()].sort()).toEqual(['ShortcutsDialog', 'Stage', 'de', 'page']);
});
