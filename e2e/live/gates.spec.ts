/** Live breakpoints and two runs side by side, with real containers. */
import { expect, test } from './live-test.ts';

test('a run is held before its program, looked at, and goes on', async ({ room }) => {
  const { page } = room;
  await page.locator('h1').click();
  await room.press('b');
  const dialog = page.getByRole('dialog', { name: 'Hold the next request' });
  await dialog.getByRole('checkbox', { name: /created-not-started/ }).check();
  await room.expectNoAxeViolation('the gates');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await room.send('docker run --rm busybox echo free');

  const held = page.getByRole('region', { name: /Held: container created, not started/ });
  await expect(held).toBeVisible({ timeout: 30_000 });
  // Parked on exec.fifo: it sleeps, it is process 1 inside, and it is not the program yet.
  await expect(held).toContainText('runc:[init]');
  await expect(held).toContainText(/\d+ → 1/);
  await expect(held).toContainText(/pid:\d{10}/);
  await room.expectNoAxeViolation('held');
  await expect(room.output).not.toContainText('free');

  await held.getByRole('button', { name: 'Continue' }).click();

  await expect(held).toBeHidden();
  await expect(room.endOf('echo free')).toContainText('exit 0', { timeout: 30_000 });
  await page.getByRole('button', { name: /^Hold/ }).click();
  await dialog.getByRole('checkbox', { name: /created-not-started/ }).uncheck();
  await dialog.getByRole('button', { name: 'Done' }).click();
});

test('a run that fails is compared with one that does not', async ({ room }) => {
  const { page } = room;
  await room.send('docker run --rm busybox echo twin');
  await expect(room.endOf('echo twin')).toContainText('exit 0', { timeout: 30_000 });
  await room.send('docker run --rm busybox nosuchtwin');
  await expect(room.endOf('nosuchtwin')).toContainText('exit 127', { timeout: 30_000 });
  await room.toTheEndOf('nosuchtwin');

  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Compare two runs' });
  const option = dialog.getByRole('option').filter({ hasText: 'echo twin' });
  await dialog.getByRole('combobox').selectOption((await option.getAttribute('value')) ?? '');

  await expect(dialog.getByRole('status')).toContainText(/\d+ steps in both, \d+ in one/);
  await expect(dialog.getByRole('table')).toContainText('Only in A');
  await expect(dialog).toContainText('docker CLI ended');
  await expect(dialog).toContainText('exit 127 → exit 0');
  await room.expectNoAxeViolation('the comparison');
});
