/** The failure lab: a learner kills the daemon, and the page says who lived on and why. */
import { readFileSync } from 'node:fs';
import { startTimeOf } from '../support/kernel.ts';
import { expect, test } from './live-test.ts';

const LOOP = "sh -c 'trap exit TERM; while true; do date; sleep 1; done'";

test('dockerd is killed with a key, and the container has not noticed', async ({
  room,
  engine,
  docker,
}) => {
  const { page } = room;
  await room.send(`docker run -d --name lives-on busybox ${LOOP}`);
  await room.toTheEndOf('lives-on');
  const { Pid } = (await docker.inspect('lives-on')).State;
  const startTime = startTimeOf(Pid);
  const before = engine.pidOf('dockerd');

  await page.getByRole('radio', { name: 'Real', exact: true }).check({ force: true });
  await page.locator('h1').click();
  await room.press('k');
  const dialog = page.getByRole('dialog', { name: 'Break the engine' });
  await expect(dialog.getByRole('radio', { name: /Kill dockerd/ })).toBeChecked();
  await room.expectNoAxeViolation('the dialog');
  await dialog.getByRole('button', { name: 'Send the signal' }).click();

  const verdict = page.getByRole('region', { name: 'After SIGKILL to dockerd' });
  await expect(verdict).toContainText(/dockerd pid \d+ died, and is back as pid \d+/, {
    timeout: 30_000,
  });
  await expect(verdict).toContainText(`container pid ${Pid} same process`);
  await expect(verdict).toContainText('its parent is the shim');
  await expect(verdict).toContainText('the new dockerd has found it again');
  expect(engine.pidOf('dockerd')).not.toBe(before);
  expect(startTimeOf(Pid)).toBe(startTime);
  expect(readFileSync(`/proc/${Pid}/status`, 'utf8')).toMatch(/^State:\s+[SR]/m);
  await room.expectNoAxeViolation('after the fault');

  // The fault is a step of the run like any other, with a cause and a source.
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByRole('textbox', { name: /filter/i }).fill('SIGKILL');
  await expect(page.getByRole('option').filter({ hasText: 'The lab sends SIGKILL' })).toBeVisible();
  await docker.ok(['rm', '-f', 'lives-on']);
});

test('the shim is killed, and containerd takes the container with it', async ({ room, docker }) => {
  const { page } = room;
  await room.send(`docker run -d --name orphan busybox ${LOOP}`);
  await room.toTheEndOf('orphan');

  await page.getByRole('button', { name: 'Break…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Break the engine' });
  await dialog.getByRole('radio', { name: /Kill the shim/ }).check();
  await dialog.getByRole('button', { name: 'Send the signal' }).click();
  await expect(dialog).toBeHidden();

  const verdict = page.getByRole('region', { name: 'After SIGKILL to the shim' });
  await expect(verdict).toBeVisible({ timeout: 30_000 });
  await expect
    .poll(async () => {
      await page.locator('h1').click();
      await room.press('End');
      return verdict.innerText();
    })
    .toMatch(/container pid \d+ (died|is gone)/);
  await expect(verdict).toContainText('containerd kills what a dead shim leaves behind');
  await docker.ok(['wait', 'orphan']);
  await docker.ok(['rm', 'orphan']);
});
