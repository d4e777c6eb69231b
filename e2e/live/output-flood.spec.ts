/** A container that prints without measure, with markup in it: the page answers, shows the end, and says how much it was. */
import { expect, test } from './live-test.ts';
import type { EngineRoomPage } from '../support/page.ts';

const LINE = '<img src=x onerror=alert(1)>';

/** A click has its effect while the flood goes on. */
const answers = async ({ page }: EngineRoomPage): Promise<void> => {
  for (const name of ['Processes', 'Timeline']) {
    await page.getByRole('tab', { name }).click();
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true');
  }
};

test('a hundred megabytes of another client', async ({ room, docker }) => {
  const flood = `yes '${LINE}' | head -c 100000000`;
  await docker.ok(['run', '-d', '--name', 'flood', 'busybox', 'sh', '-c', flood]);
  const line = room.runs.getByRole('listitem').filter({ hasText: 'head -c 100000000' }).first();
  await line.getByRole('button').first().click();

  await answers(room);
  await docker.ok(['wait', 'flood']);
  await room.page.locator('h1').click();
  await expect
    .poll(async () => {
      await room.press('End');
      return room.page.getByRole('heading', { name: /Container output/ }).innerText();
    })
    .toContain('95.4 MiB');

  await answers(room);
  const text = await room.output.innerText();
  expect(text).toContain(LINE);
  expect(text).toContain('[…]');
  expect(text.length).toBeLessThan(30_000);
  expect(await room.page.locator('img').count()).toBe(0);
  await docker.ok(['rm', 'flood']);
});

test('a run of the page that prints for ever is ended, and it is said why', async ({ room }) => {
  await room.send(`docker run --rm busybox yes "${LINE}"`);
  await expect(room.lineOf('busybox yes')).toBeVisible();
  await answers(room);

  await room.toTheEndOf('busybox yes');

  await room.page.getByRole('tab', { name: 'Events' }).click();
  await room.page.getByRole('textbox', { name: /filter/i }).fill('wrote more than');
  const why = room.page.getByRole('option').filter({ hasText: 'The lab ends the run' });
  await expect(why).toContainText('it wrote more than 8');
  expect(await room.page.locator('img').count()).toBe(0);
});
