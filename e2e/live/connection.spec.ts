/** The connection tells the truth: the lab dies, the page says so, the container goes on, the lab comes back. */
import { test as base } from '@playwright/test';
import { dockerFor } from '../support/docker.ts';
import { startTimeOf } from '../support/kernel.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { EngineRoomPage } from '../support/page.ts';

const { expect } = base;

base('the lab is killed and started again', async ({ page }) => {
  base.setTimeout(180_000);
  const engine = await startOurEngine();
  try {
    const docker = dockerFor(engine);
    const room = new EngineRoomPage(page);
    await page.goto(engine.url);
    await room.send('docker run --rm busybox echo before');
    await room.toTheEndOf('echo before');
    await expect(room.output).toContainText('before');
    await docker.ok(['run', '-d', '--name', 'survivor', 'busybox', 'sleep', '1000']);
    const { Pid } = (await docker.inspect('survivor')).State;
    const startTime = startTimeOf(Pid);

    await engine.killLab();

    await expect(page.getByText(/Connection lost\. Reconnecting in/).first()).toBeVisible();
    await expect(room.sendButton).toHaveAttribute('aria-disabled', 'true');
    await page.getByRole('button', { name: 'To the beginning' }).click();
    await expect.poll(async () => (await room.step())[0]).toBe(0);
    await page.getByRole('button', { name: 'Next step' }).click();
    await expect.poll(async () => (await room.step())[0]).toBe(1);
    await room.expectNoAxeViolation('disconnected');
    expect(startTimeOf(Pid)).toBe(startTime);
    expect(await docker.ok(['ps', '--format', '{{.Names}}'])).toContain('survivor');

    await engine.restartLab();

    await expect(page.getByText(/Live engine/).first()).toBeVisible({ timeout: 30_000 });
    await room.send('docker run --rm busybox echo after');
    await room.toTheEndOf('echo after');
    await expect(room.output).toContainText('after');
    expect((await docker.inspect('survivor')).State).toMatchObject({ Running: true, Pid });
    await docker.ok(['rm', '-f', 'survivor']);
  } finally {
    await engine.stop();
  }
});
