/** Back and forth in a run: whatever the way to a step, the page looks the same there. */
import { expect, test } from './live-test.ts';

test.beforeEach(async ({ room }) => {
  await room.send('docker run --rm busybox echo there and back');
  await room.toTheEndOf('there and back');
  await room.page.getByRole('radio', { name: 'Step', exact: true }).check({ force: true });
  await room.page.getByRole('button', { name: 'To the beginning' }).click();
});

test('forward, back and seek agree at every step', async ({ room }) => {
  test.setTimeout(120_000);
  const { page } = room;
  await page.getByRole('radio', { name: 'Chapters' }).check({ force: true });
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  await room.press('Home');
  const [, count] = await room.step();
  expect(count).toBeGreaterThan(4);

  // Seeking by the slider is the first way: it jumps, so nothing is on its way when it is read.
  const sought: string[] = [];
  await room.playhead.focus();
  await room.press('Home');
  for (let step = 1; step <= count; step += 1) {
    await room.press('ArrowRight');
    await expect.poll(async () => (await room.step())[0]).toBe(step);
    sought.push(await settled(room));
  }
  for (let step = count; step >= 1; step -= 1) {
    expect(await settled(room), `step ${step} on the way back`).toBe(sought[step - 1]);
    await room.press('ArrowLeft');
    await expect.poll(async () => (await room.step())[0]).toBe(step - 1);
  }
  await room.press('End');
  await expect(room.output).toContainText('there and back');
  await room.press('Home');
  await expect(room.output).not.toContainText('there and back');
});

/** What is drawn when nothing travels any more. */
async function settled(room: { drawn(): Promise<string> }): Promise<string> {
  let before = '';
  await expect
    .poll(async () => {
      const now = await room.drawn();
      const isStill = now === before;
      before = now;
      return isStill;
    })
    .toBe(true);
  return before;
}

test('play goes to the end by itself, pause holds it', async ({ room }) => {
  const { page } = room;
  await page.getByRole('radio', { name: 'Chapters' }).check({ force: true });
  await page.getByRole('radio', { name: 'Learn' }).check({ force: true });

  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => (await room.step())[0]).toBeGreaterThan(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  const held = await settled(room);
  expect(await room.drawn()).toBe(held);

  await page.getByRole('radio', { name: 'Real' }).check({ force: true });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(room.output).toContainText('there and back');
});

test('both clocks are shown, and the real one is milliseconds of the run', async ({ room }) => {
  await room.press('End');

  const clock = room.page.getByTestId('real-clock');
  const real = Number((await clock.innerText()).replaceAll(/[^\d.]/g, ''));
  await expect(clock.locator('..')).toContainText(`${real.toFixed(1)} / ${real.toFixed(1)} ms`);
  expect(real).toBeGreaterThan(1);
  expect(real).toBeLessThan(60_000);
});

test('with the keyboard alone: send, step, jump, read the keys, leave', async ({ room }) => {
  const { page } = room;
  await page.reload();
  await expect(page.getByText(/Live engine/).first()).toBeVisible();
  await expect(room.sendButton).toBeFocused();

  await room.press('Enter');
  await expect(room.endOf('echo hello')).toContainText('exit 0', { timeout: 30_000 });
  await expect(room.lineOf('echo hello').getByRole('button').first()).toHaveAttribute(
    'aria-current',
    'true',
  );
  await room.press('End');
  await expect(room.output).toContainText('hello');
  await room.press('Home');
  expect((await room.step())[0]).toBe(0);
  await room.press('ArrowRight');
  await expect.poll(async () => (await room.step())[0]).toBe(1);
  await room.press('ArrowLeft');
  await expect.poll(async () => (await room.step())[0]).toBe(0);
  await room.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await room.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();

  // No trap: from the button, Tab reaches the stage, the playhead and comes round.
  const seen = new Set<string>();
  const isHome = () =>
    room.sendButton.evaluate((button) => button.ownerDocument.activeElement === button);
  await room.sendButton.focus();
  // Each run that the engine has made is a stop of its own.
  for (let stop = 0; stop < 500 && (stop === 0 || !(await isHome())); stop += 1) {
    await room.press('Tab');
    seen.add(
      await page.evaluate(
        () =>
          document.activeElement?.getAttribute('aria-label') ??
          document.activeElement?.textContent ??
          '',
      ),
    );
  }
  expect([...seen]).toContain('Playhead');
  await expect(room.sendButton).toBeFocused();
});

test('reduced motion: a step changes the words and moves nothing', async ({ room }) => {
  await room.page.emulateMedia({ reducedMotion: 'reduce' });
  await room.press('Home');
  // What had begun to move before the wish was made comes to its end.
  await expect.poll(() => room.longAnimations()).toEqual([]);

  for (let step = 1; step <= 8; step += 1) {
    await room.press('ArrowRight');
    expect(await room.longAnimations()).toEqual([]);
    await expect.poll(async () => (await room.step())[0]).toBe(step);
  }
});
