/** Runs as files and addresses, on the recorded run: save, open, link, export, compare. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test as base } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';
import { keepPictures } from '../support/pictures.ts';

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

const saved = async ({ page }: EngineRoomPage, button: string): Promise<Buffer> => {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: button, exact: true }).click();
  return readFileSync(await (await download).path());
};

test('a run that was saved opens again with the same steps', async ({ room }) => {
  const file = await saved(room, 'Save');
  const [, steps] = await room.step();
  await room.press('End');

  await room.open('mine.trace.gz', file);

  await expect(room.runs).toContainText('mine.trace.gz is open');
  expect(await room.step()).toEqual([0, steps]);
});

test('a file that is no run, one that is cut off, and one from the future are told apart', async ({
  room,
}) => {
  await room.open('photo.gz', Buffer.from('<script>alert(1)</script>'));
  await expect(room.runs).toContainText('photo.gz cannot be opened: this is not a recorded run');

  const file = await saved(room, 'Save');
  await room.open('cut.trace.gz', file.subarray(0, Math.floor(file.length / 2)));
  await expect(room.runs).toContainText(/cut\.trace\.gz is open: the file is damaged/);
  await expect(room.page.getByText(/About this recording: the file is damaged/)).toBeVisible();
  await room.expectNoAxeViolation('a damaged file');

  const [head = '', ...events] = gunzipSync(file).toString('utf8').trim().split('\n');
  const [first = ''] = events;
  const newer = [
    JSON.stringify({ ...(JSON.parse(head) as object), version: 99 }),
    ...events,
    JSON.stringify({ ...(JSON.parse(first) as object), id: 'new', type: 'hologram' }),
    // By hand, and not well.
    '{"type": "span',
  ];
  await room.open('newer.trace.gz', gzipSync(newer.join('\n')));
  await expect(room.runs).toContainText(
    'newer.trace.gz is open: made by a newer version: 1 event kind is not shown; the file is damaged: 1 line could not be read',
  );
  await room.page.locator('h1').click();
  await room.press('End');
  await expect(room.output).toContainText('hello');
});

test('a file of a newer version shows what can be shown, and says what is left out', async ({
  room,
}) => {
  const { page } = room;
  const [head = '', ...lines] = gunzipSync(await saved(room, 'Save'))
    .toString('utf8')
    .trim()
    .split('\n');
  const header = JSON.parse(head) as { version: number };
  const [event] = lines.map((line) => JSON.parse(line) as { seq: number; type: string });
  const foreign = ['teleport', 'dream', 'teleport'].map((type, index) =>
    JSON.stringify({ ...event, id: `new/${index}`, seq: 100_000 + index, type }),
  );
  const newer = [JSON.stringify({ ...header, version: header.version + 7 }), ...lines, ...foreign];
  const [, steps] = await room.step();

  await room.open('newer.trace.gz', gzipSync(newer.join('\n')));

  const words = 'made by a newer version: 2 event kinds are not shown';
  await expect(room.runs).toContainText(`newer.trace.gz is open: ${words}`);
  await expect(page.getByText(`About this recording: ${words}`)).toBeVisible();
  expect(await room.step()).toEqual([0, steps]);
  await room.expectNoAxeViolationInBothThemes('a newer file');
  await keepPictures(room, 'newer');
});

test('the export is OTLP/JSON with every process of the road', async ({ room }) => {
  const { resourceSpans } = JSON.parse((await saved(room, 'OTLP')).toString()) as {
    resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[];
  };

  const text = JSON.stringify(resourceSpans.map((each) => Reflect.get(each, 'resource') as object));
  for (const name of ['dockerd', 'containerd', 'shim', 'runc']) expect(text).toContain(`"${name}"`);
  const spans = resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
  expect(spans.length).toBeGreaterThan(200);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test('an address leads to a step, and there is no token in it', async ({ room }) => {
  const { page } = room;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  for (let step = 0; step < 5; step += 1)
    await page.getByRole('button', { name: 'Next step' }).click();
  await expect.poll(async () => (await room.step())[0]).toBe(5);
  await page.getByRole('button', { name: 'Link', exact: true }).click();
  await expect(room.runs).toContainText('it carries no token');
  const link = await page.evaluate(() => navigator.clipboard.readText());

  await page.goto('about:blank');
  await page.goto(link);

  await expect.poll(async () => (await room.step())[0]).toBe(5);
  expect(link).not.toContain('token');
});

test('comparing wants a second run, and says so', async ({ room }) => {
  await room.page.locator('h1').click();
  await room.press('d');

  const dialog = room.page.getByRole('dialog', { name: 'Compare two runs' });
  await expect(dialog).toContainText('There is only one run here');
  await room.expectNoAxeViolation('the comparison');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(dialog).toBeHidden();
});

test('a run saved as a page replays from the disk, without a single request', async ({
  room,
  browser,
}, testInfo) => {
  const file = testInfo.outputPath('run.html');
  writeFileSync(file, await saved(room, 'HTML'));
  const context = await browser.newContext();
  const requests: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  const offline = new EngineRoomPage(await context.newPage());

  await offline.page.goto(`file://${file}`);

  await expect(offline.caption).toContainText(/Step 0 of \d+/);
  await expect(
    offline.page.getByText(/Recorded runs: this page has no engine/).first(),
  ).toBeVisible();
  expect((await offline.step())[1]).toBe((await room.step())[1]);
  await offline.press('End');
  await expect(offline.output).toContainText('hello');
  await expect(offline.stage.getByRole('button', { name: 'containerd' })).toBeVisible();
  await offline.page.getByRole('tab', { name: 'Processes' }).click();
  await expect(offline.page.getByRole('tree')).toBeVisible();
  expect(requests.filter((url) => !url.startsWith('file://'))).toEqual([]);
  expect(offline.errors).toEqual([]);
  await context.close();
});
