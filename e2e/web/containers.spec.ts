/** A recorded `docker start one two three four five`: five containers on one stage, each in a column of its own. */
import { readFileSync } from 'node:fs';
import { expect, test as base, type Locator } from '@playwright/test';
import { EngineRoomPage, SIZES, THEMES } from '../support/page.ts';

const RECORDING = readFileSync(new URL('traces/five-containers.trace.gz', import.meta.url));

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await room.open('five.trace.gz', RECORDING);
    await expect(room.runs).toContainText('five.trace.gz is open');
    await page.locator('h1').click();
    await room.press('End');
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

const heads = ({ stage }: EngineRoomPage): Locator =>
  stage.getByRole('button', { name: /^container [0-9a-f]{4,12} running/ });

test('five containers stand side by side, each with its own shim, runc and first process', async ({
  room,
}) => {
  await expect(heads(room)).toHaveCount(5);
  await expect(room.stage.getByRole('button', { name: /shim/ })).toHaveCount(5);

  const boxes = await room.stage
    .getByRole('button')
    .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().toJSON()));
  for (const [index, a] of boxes.entries())
    for (const b of boxes.slice(index + 1)) {
      const isApart =
        a.right <= b.left + 1 ||
        b.right <= a.left + 1 ||
        a.bottom <= b.top + 1 ||
        b.bottom <= a.top + 1;
      expect(isApart, `${JSON.stringify(a)} ${JSON.stringify(b)}`).toBe(true);
    }
});

test('a click puts one in focus with its pids, a second click lets go', async ({ room }) => {
  const third = heads(room).nth(2);
  await third.click();

  await expect(third).toHaveAttribute('aria-pressed', 'true');
  await expect(room.stage.getByRole('button', { name: /shim pid \d+/ })).toHaveCount(1);
  const [id = ''] = /[0-9a-f]{12}/.exec(await third.innerText()) ?? [];
  await expect(room.stage.getByRole('listitem').first()).toContainText(id);

  await third.click();
  await expect(third).toHaveAttribute('aria-pressed', 'false');
});

test('the key f goes from container to container and ends with all of them', async ({ room }) => {
  const pressed = room.stage.locator('[aria-pressed="true"]');
  const seen: string[] = [];
  for (let press = 0; press < 5; press += 1) {
    await room.press('f');
    await expect(pressed).toHaveCount(1);
    seen.push(await pressed.innerText());
  }
  expect(new Set(seen).size).toBe(5);

  await room.press('f');
  await expect(pressed).toHaveCount(0);
});

test('the list names every container with what runs in it, and arrows reach all of the stage', async ({
  room,
}) => {
  const list = room.runs.getByRole('group', { name: 'Containers: 5' });
  await expect(list.getByRole('button')).toHaveCount(5);
  for (const name of ['one', 'two', 'three', 'four', 'five'])
    await expect(list.getByRole('button', { name: `I am ${name}` })).toContainText('running');

  const at = (): Promise<string> =>
    room.page.evaluate(() => document.activeElement?.getAttribute('data-place') ?? '');
  await room.stage.getByRole('button', { name: /^docker CLI/ }).focus();
  await room.press('ArrowDown');
  expect(await at()).toBe('dockerd');
  await heads(room).first().focus();
  const visited = new Set([await at()]);
  for (const key of Array<string>(4).fill('ArrowRight')) {
    await room.press(key);
    visited.add(await at());
  }
  expect([...visited].filter((place) => place.startsWith('head-')).length).toBe(5);
  await room.press('ArrowDown', 'ArrowDown', 'ArrowDown');
  expect(await at()).toMatch(/^container-/);
  await room.press('ArrowDown');
  expect(await at()).toBe('kernel');
});

test('before its birth a container keeps its place as a ghost', async ({ room }) => {
  await room.press('Home');

  await expect(room.stage.getByRole('button', { name: /^container \S+ not yet/ })).toHaveCount(5);
  await expect(room.stage.locator('[data-detail][data-status="unborn"]')).toHaveCount(15);
});

for (const { name, width, height } of SIZES)
  for (const theme of THEMES)
    test(`five containers on a ${name} in ${theme}: no violation, no sideways scrolling`, async ({
      room,
    }) => {
      await room.page.emulateMedia({ colorScheme: theme });
      await room.page.setViewportSize({ width, height });
      await expect(heads(room)).toHaveCount(5);

      await room.expectNoSidewaysScroll(name);
      await room.expectNoAxeViolation(`${name} ${theme}`);
    });
