/** The stage as a picture: both files are opened again and looked into. */
import { copyFileSync, readFileSync } from 'node:fs';
import { expect, test as base } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await page.locator('h1').click();
    await room.press('End');
    await expect(room.stage.locator('[data-chip="seccomp"]')).toBeVisible();
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

const saved = async ({ page }: EngineRoomPage, kind: 'PNG' | 'SVG') => {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: kind, exact: true }).click();
  const file = await download;
  return { path: await file.path(), name: file.suggestedFilename() };
};

test('the SVG says what the stage says, and asks nobody for anything', async ({
  room,
  browser,
}, testInfo) => {
  const { path, name } = await saved(room, 'SVG');
  expect(name).toMatch(/^engine-room-[0-9a-f]{8}-\d+\.svg$/);
  const copy = testInfo.outputPath(name);
  copyFileSync(path, copy);
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));

  await page.goto(`file://${copy}`);

  const texts = await page.locator('text').allTextContents();
  const [sentence] = await room.page.getByTestId('caption-sentence').allInnerTexts();
  const whole = texts.join(' ');
  for (const words of ['docker run --rm busybox echo hello', 'recorded run', 'containerd', 'runc'])
    expect(whole).toContain(words);
  expect(whole).toContain(sentence?.trim());
  expect(whole).toMatch(/pid \d+/);
  expect(whole).toContain('seccomp');
  // Who is gone is struck out in the picture as well.
  expect(await page.locator('path[stroke][d*=" h "]').count()).toBeGreaterThan(2);
  expect(await page.title()).toContain('Engine Room: docker run');
  expect(await page.locator('desc').textContent()).toContain('On the stage: ');
  // Nothing lies outside the picture.
  const [width, height] = await page
    .locator('svg')
    .evaluate((svg) => [Number(svg.getAttribute('width')), Number(svg.getAttribute('height'))]);
  for (const text of await page.locator('text').all()) {
    const box = await text.boundingBox();
    expect((box?.x ?? -1) + (box?.width ?? 0)).toBeLessThanOrEqual((width ?? 0) + 1);
    expect((box?.y ?? -1) + (box?.height ?? 0)).toBeLessThanOrEqual((height ?? 0) + 1);
  }
  expect(requests.filter((url) => !url.startsWith('file://'))).toEqual([]);
  await page.close();
});

for (const theme of ['dark', 'light'] as const)
  test(`the PNG has twice the pixels and the colours of the page: ${theme}`, async ({ room }) => {
    const { page } = room;
    await page.emulateMedia({ colorScheme: theme });
    await page.reload();
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await expect(room.stage.getByRole('button', { name: /^docker CLI/ })).toBeVisible();
    const stage = await room.stage.boundingBox();
    const png = readFileSync((await saved(room, 'PNG')).path);

    const seen = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d');
      context?.drawImage(image, 0, 0);
      const { data } = context?.getImageData(0, 0, image.width, image.height) ?? { data: [] };
      const counts: Record<string, number> = {};
      for (let at = 0; at < data.length; at += 4) {
        const colour = [data[at], data[at + 1], data[at + 2]]
          .map((value) => (value ?? 0).toString(16).padStart(2, '0'))
          .join('');
        counts[`#${colour}`] = (counts[`#${colour}`] ?? 0) + 1;
      }
      const style = getComputedStyle(document.documentElement);
      const named = ['background', 'raised', 'text', 'you', 'daemons', 'container', 'kernel'];
      return {
        width: image.width,
        pixels: named.map((name) => counts[style.getPropertyValue(`--${name}`).trim()] ?? 0),
      };
    }, png.toString('base64'));

    expect(seen.width).toBe(Math.round(2 * (stage?.width ?? 0)));
    for (const count of seen.pixels) expect(count).toBeGreaterThan(100);
  });

test('on a phone the list of actors is the picture', async ({ room, browser }, testInfo) => {
  await room.page.setViewportSize({ width: 390, height: 844 });
  const { path } = await saved(room, 'SVG');
  const copy = testInfo.outputPath('phone.svg');
  copyFileSync(path, copy);
  const page = await browser.newPage();
  await page.goto(`file://${copy}`);
  const whole = (await page.locator('text').allTextContents()).join(' ');
  for (const actor of ['docker CLI', 'containerd', 'shim', 'Linux kernel'])
    expect(whole).toContain(actor);
  await page.close();
});
