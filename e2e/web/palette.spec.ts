/** The command palette and the projector layout, with the keyboard alone. */
import { expect, test as base, type Page } from '@playwright/test';
import { EngineRoomPage, SIZES, THEMES } from '../support/page.ts';

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

const paletteOf = (page: Page) => page.getByRole('dialog', { name: 'Commands' });
const chosen = (page: Page) => paletteOf(page).getByRole('option', { selected: true });

const opened = async ({ page }: EngineRoomPage, query: string): Promise<void> => {
  await page.keyboard.press('Control+k');
  await expect(paletteOf(page).getByRole('combobox')).toBeFocused();
  await page.keyboard.type(query);
};

test('some letters and Enter do what a menu does, and the focus comes back', async ({ room }) => {
  const { page } = room;
  await room.command.focus();
  await opened(room, 'next st');
  await expect(chosen(page)).toContainText('Next step');
  await room.press('Enter');
  await expect(paletteOf(page)).toBeHidden();
  await expect.poll(async () => (await room.step())[0]).toBe(1);
  await expect(room.command).toBeFocused();

  await opened(room, 'zoom cha');
  await expect(paletteOf(page).getByRole('option')).toHaveCount(2);
  await room.press('ArrowDown', 'Enter');
  await expect(page.getByRole('radio', { name: 'Chapters' })).toBeChecked();

  await opened(room, 'light col');
  await room.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await expect(page.getByRole('button', { name: 'Dark', exact: true })).toBeVisible();

  await opened(room, 'inspect containerd');
  await room.press('Enter');
  await expect(room.stage.getByRole('button', { name: 'containerd' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );

  await opened(room, 'kill the daemon');
  await room.press('Enter');
  await expect(page).toHaveURL(/#lesson=/);

  // One dialog leads to another, which has the focus.
  await opened(room, 'compare');
  await room.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Compare two runs' })).toBeVisible();
});

test('the arrows go round, the screen reader is told where, and nonsense finds nothing', async ({
  room,
}) => {
  const { page } = room;
  await opened(room, '');
  const field = paletteOf(page).getByRole('combobox');
  const all = await paletteOf(page).getByRole('option').count();
  expect(all).toBeGreaterThan(50);
  const first = await field.getAttribute('aria-activedescendant');
  await room.press('ArrowDown');
  expect(await field.getAttribute('aria-activedescendant')).not.toBe(first);
  await room.press('ArrowUp', 'ArrowUp');
  await expect(chosen(page)).toBeInViewport();
  const last = await field.getAttribute('aria-activedescendant');
  expect(last).toMatch(new RegExp(`-${all - 1}$`));

  await page.keyboard.type('no such command');
  await expect(paletteOf(page)).toContainText('No command matches.');
  await room.press('Enter');
  await expect(paletteOf(page)).toBeVisible();
  await room.press('Escape');
  await expect(paletteOf(page)).toBeHidden();
});

test('what the list of keys says is what the palette does', async ({ room }) => {
  const { page } = room;
  await page.locator('h1').click();
  await room.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await expect(dialog).toContainText('Every command by its name');
  const keys = await dialog.locator('dl > div').evaluateAll((rows) =>
    rows.map((row) => ({
      key: row.querySelector('kbd')?.textContent ?? '',
      words: row.querySelector('dd')?.textContent ?? '',
    })),
  );
  expect(keys.map(({ key }) => key)).toContain('Ctrl K');
  await dialog.getByRole('button', { name: 'Close' }).click();

  await opened(room, '');
  const options = await paletteOf(page).getByRole('option').allInnerTexts();
  // A clicker's keys are doubles, a room is not open, and the palette itself is there.
  const left = /clicker|In a room|Every command|These keys/;
  for (const { key, words } of keys.filter(({ words: each }) => !left.test(each))) {
    const option = options.find((text) => text.includes(words));
    expect(option, words).toBeDefined();
    expect(option, words).toContain(key);
  }
});

for (const theme of THEMES)
  for (const size of SIZES)
    test(`the palette has no violation: ${size.name}, ${theme}`, async ({ room }, testInfo) => {
      const { page } = room;
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: theme });
      await page.reload();
      await expect(room.caption).toContainText(/Step 0 of \d+/);
      await opened(room, 'step');
      await expect(chosen(page)).toBeVisible();
      await room.expectNoAxeViolation('the palette');
      await room.expectNoSidewaysScroll('the palette');
      await testInfo.attach('screen', { body: await page.screenshot(), contentType: 'image/png' });
    });

for (const theme of THEMES)
  test(`the projector layout is read from the last row: ${theme}`, async ({ room }, testInfo) => {
    const { page } = room;
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.emulateMedia({ colorScheme: theme });
    await page.reload();
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await page.getByRole('button', { name: 'Projector' }).click();
    await expect(page.getByRole('button', { name: 'Projector', pressed: true })).toBeVisible();
    await page.locator('h1').click();
    await room.press('End');
    await expect(room.output).toContainText('hello');

    const sizeOf = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
    expect(await sizeOf('.actor-name')).toBeGreaterThanOrEqual(28);
    expect(await sizeOf('.caption-sentence')).toBeGreaterThanOrEqual(34);
    expect(await sizeOf('.clocks')).toBeGreaterThanOrEqual(22);
    // Both clocks and all of the transport in one row, and nothing to scroll.
    const row = await page.locator('.transport').boundingBox();
    const play = await page.getByRole('button', { name: 'Play', exact: true }).boundingBox();
    expect(row?.height).toBeLessThan(1.5 * (play?.height ?? 0));
    await expect(page.getByText('learning')).toBeVisible();
    await expect(page.getByTestId('real-clock')).toBeVisible();
    await room.expectNoSidewaysScroll('projector');
    const [tall, shown] = await page.evaluate(() => [
      document.documentElement.scrollHeight,
      document.documentElement.clientHeight,
    ]);
    expect(tall).toBeLessThanOrEqual(shown ?? 0);
    await room.expectNoAxeViolation('projector');
    await testInfo.attach('screen', { body: await page.screenshot(), contentType: 'image/png' });

    // It is kept, and the same key leads out.
    await page.reload();
    await expect(page.getByRole('button', { name: 'Projector', pressed: true })).toBeVisible();
    await page.locator('h1').click();
    await room.press('v');
    await expect(room.runs).toBeVisible();
  });

test('at every width of a desk the header keeps within the page, in German too', async ({
  room,
}) => {
  const { page } = room;
  await page.goto('/?lang=de');
  for (const width of [1024, 1100, 1280, 1360, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.getByRole('toolbar').first()).toBeInViewport({ ratio: 1 });
  }
});
