/** No axe violation and no sideways scrolling with a living engine. `e2e/web` has every size in dark and light. */
import { SIZES } from '../support/page.ts';
import { expect, test } from './live-test.ts';

const [desk, , phone] = SIZES;
for (const [size, theme] of [
  [desk, 'dark'],
  [phone, 'light'],
] as const)
  test(`${size.name} (${size.width}×${size.height}), ${theme}`, async ({ room }, testInfo) => {
    const { page } = room;
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: theme });
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    await expect(page.getByText(/Live engine/).first()).toBeVisible();
    await room.expectNoAxeViolation('before a run');

    await room.send('docker run --rm busybox echo hello');
    await expect(room.endOf('docker run')).toContainText('exit 0');
    await page.getByRole('button', { name: 'To the beginning' }).click();
    for (let step = 0; step < 6; step += 1)
      await page.getByRole('button', { name: 'Next step' }).click();
    await room.expectNoAxeViolation('in the middle of a run');
    await room.expectNoSidewaysScroll('in the middle of a run');
    await testInfo.attach('screen', { body: await page.screenshot(), contentType: 'image/png' });

    await room.send('docker run --privileged busybox true');
    await room.expectNoAxeViolation('after a refusal');
  });
