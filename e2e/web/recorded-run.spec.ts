/** The built page with its bundled recording and no engine: the newcomer's first minute, on any machine. */
import { expect, test as base } from '@playwright/test';
import { EngineRoomPage, SIZES, THEMES } from '../support/page.ts';

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    // Nobody answers: the line to the engine closes at once.
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await use(room);
    // That nobody answers below /api is the point of this suite; the browser itself reports it.
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

const eventsOf = ({ page }: EngineRoomPage) => page.getByRole('listbox', { name: /Events/ });

test('the page opens on a recorded run and says so', async ({ room }) => {
  await expect(room.caption).toContainText('This is a recorded run.');
  await expect(room.page.getByText(/No engine here: recordings only/)).toBeVisible();
  expect((await room.step())[1]).toBeGreaterThanOrEqual(15);
});

test('without an engine Send Request is off, and says why when it is pressed', async ({ room }) => {
  await expect(room.sendButton).toHaveAttribute('aria-disabled', 'true');

  // A button that is off still answers: it says why.
  await room.sendButton.click({ force: true });

  await expect(room.page.getByRole('region', { name: 'Request' })).toContainText(
    'Send Request needs the engine',
  );
});

test('seven actors stand on the stage and come to life as the run goes on', async ({ room }) => {
  const names = ['docker', 'dockerd', 'containerd', 'shim', 'runc', 'container', 'kernel'];
  for (const name of names)
    await expect(room.stage.getByRole('button', { name }).first()).toBeVisible();

  await room.press('End');

  const text = await room.stage.innerText();
  expect([...text.matchAll(/pid \d+/g)].length).toBeGreaterThanOrEqual(4);
  await expect(room.output).not.toContainText('Nothing written yet');
});

test('each zoom has its own number of steps, finer is more', async ({ room }) => {
  const counts: number[] = [];
  for (const level of ['Chapters', 'Steps', 'Details']) {
    await room.page.getByRole('radio', { name: level }).check({ force: true });
    counts.push((await room.step())[1]);
  }

  const [chapters = 0, steps = 0, details = 0] = counts;
  expect(chapters).toBeGreaterThan(3);
  expect(steps).toBeGreaterThan(chapters);
  expect(details).toBeGreaterThan(steps);
});

test('the inspector shows the message of a step, decoded and raw', async ({ room }) => {
  const { page } = room;
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByRole('textbox', { name: /filter/i }).fill('create');
  await eventsOf(room)
    .getByRole('option')
    .filter({ hasText: 'asks dockerd to create' })
    .first()
    .click();

  const inspector = page.getByRole('region', { name: /Inspector/ });
  await expect(inspector).toContainText('containers/create');
  await expect(inspector).toContainText('busybox');
});

test('a filter that matches nothing says so and can be cleared', async ({ room }) => {
  const { page } = room;
  await page.getByRole('tab', { name: 'Events' }).click();

  await page.getByRole('textbox', { name: /filter/i }).fill('no such word anywhere');

  await expect(page.getByText(/No event matches/)).toBeVisible();
  await page.getByRole('button', { name: /Clear/ }).click();
  await expect(eventsOf(room).getByRole('option').first()).toBeVisible();
});

test('a reader who wants no motion sees none', async ({ room }) => {
  await room.page.emulateMedia({ reducedMotion: 'reduce' });

  for (let step = 1; step <= 10; step += 1) {
    await room.press('ArrowRight');
    expect(await room.longAnimations()).toEqual([]);
  }
});

test('a low stage shows the latest of what the kernel holds, whole, and counts the rest', async ({
  room,
}) => {
  const { page } = room;
  await page.setViewportSize({ width: 1366, height: 768 });
  await room.press('End');
  const chips = room.stage.locator('.kernel-chips');
  await expect(chips.locator('[data-chip="seccomp"]')).toBeVisible();

  await page.getByRole('tab', { name: 'Events' }).click();

  await expect(chips.locator('.kernel-earlier')).toHaveText(/^\+\d+$/);
  await expect(chips.locator('[data-chip="seccomp"]')).toBeVisible();
  const cut = await chips.evaluate((list) => {
    const room = list.getBoundingClientRect();
    return [...list.children]
      .map((chip) => chip.getBoundingClientRect())
      .filter(({ height }) => height > 0)
      .filter(({ top, bottom }) => top < room.top - 1 || bottom > room.bottom + 1).length;
  });
  expect(cut).toBe(0);
});

for (const size of SIZES)
  for (const theme of THEMES)
    test(`no axe violation and no sideways scrolling: ${size.name}, ${theme}`, async ({
      room,
    }, testInfo) => {
      const { page } = room;
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: theme });
      await page.reload();
      await expect(room.caption).toContainText(/Step 0 of \d+/);
      await room.expectNoAxeViolation('at step 0');

      for (let step = 0; step < 9; step += 1)
        await page.getByRole('button', { name: 'Next step' }).click();

      await room.expectNoAxeViolation('at step 9');
      await room.expectNoSidewaysScroll('at step 9');
      await testInfo.attach('screen', { body: await page.screenshot(), contentType: 'image/png' });
    });
