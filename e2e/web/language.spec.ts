/** The page in German: by the address, by the switch, by the browser; and nothing of it left in English. */
import { expect, test } from '@playwright/test';
import { EngineRoomPage, SIZES } from '../support/page.ts';

test.beforeEach(async ({ page }) => {
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
});

test('?lang=de opens the page in German, down to the sentence of a step', async ({ page }) => {
  const room = new EngineRoomPage(page);
  await page.goto('/?lang=de');

  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(room.caption).toContainText(/Schritt 0 von \d+\./);
  await expect(page.getByRole('button', { name: 'Anfrage senden' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Bühne' })).toContainText(
    'Daemons: dürfen neu starten',
  );

  await page.locator('h1').click();
  await room.press('End', 'ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft');
  await expect(room.caption).toContainText(/Schritt [1-9]\d* von/);
  await expect(room.caption).not.toContainText(/ (the|asks|tells|begins|is done) /);
});

test('every actor has its page in German', async ({ page }) => {
  const room = new EngineRoomPage(page);
  await page.goto('/?lang=de');
  await expect(room.caption).toContainText(/Schritt 0 von/);
  const stage = page.getByRole('region', { name: 'Bühne' });
  const headings = new Set<string>();
  for (const actor of ['docker', 'dockerd', 'containerd', 'shim', 'runc', 'container', 'kernel']) {
    await stage.locator(`[data-place="${actor}"]`).click();
    const sheet = page.locator('.component-page');
    await expect(sheet.getByRole('heading', { level: 3 })).toBeVisible();
    headings.add(await sheet.getByRole('heading', { level: 3 }).innerText());
    await expect(sheet).not.toContainText(/What it does|Look for yourself| the /);
    await expect(sheet).toContainText(/ (der|die|das) /);
  }
  expect(headings.size).toBe(7);
});

test('the switch changes the language at once, keeps the place and the focus, and is remembered', async ({
  page,
}) => {
  const room = new EngineRoomPage(page);
  await page.goto('/');
  await expect(room.caption).toContainText(/Step 0 of \d+/);
  await page.getByRole('button', { name: 'Next step' }).click();
  await expect(room.caption).toContainText(/Step 1 of \d+/);

  await page.getByRole('button', { name: 'Deutsch' }).click();

  await expect(room.caption).toContainText(/Schritt 1 von \d+/);
  await expect(page.getByRole('button', { name: 'English' })).toBeFocused();
  await page.reload();
  await expect(room.caption).toContainText(/Schritt 0 von \d+/);
});

test.describe('in a German browser', () => {
  test.use({ locale: 'de-DE' });

  for (const { name, width, height } of SIZES)
    test(`on a ${name}: German words fit, no violation`, async ({ page }) => {
      const room = new EngineRoomPage(page);
      await page.setViewportSize({ width, height });
      await page.goto('/');
      await expect(room.caption).toContainText(/Schritt 0 von \d+/);
      await page.getByRole('button', { name: 'Nächster Schritt' }).click();
      await expect(room.caption).toContainText(/Schritt 1 von/);

      await room.expectNoSidewaysScroll(name);
      await room.expectNoAxeViolation(name);
    });
});
