/** Trace files from people who mean no good, or from runs without measure: everything is shown as text, within bounds. */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test as base } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';

const RECORDING = new URL('../../apps/web/public/recordings/first-run.trace.gz', import.meta.url);
const [HEAD = '', ...LINES] = gunzipSync(readFileSync(RECORDING))
  .toString('utf8')
  .trim()
  .split('\n');

interface Line {
  readonly id: string;
  readonly cause: string | null;
  readonly spanId?: string;
  readonly type: string;
  readonly mono: string;
  readonly seq: number;
  readonly [key: string]: unknown;
}

const EVENTS = LINES.map((line) => JSON.parse(line) as Line);
const file = (events: readonly object[], head: object = JSON.parse(HEAD) as object): Buffer =>
  gzipSync([head, ...events].map((line) => JSON.stringify(line)).join('\n'), { level: 1 });

const test = base.extend<{ room: EngineRoomPage }>({
  room: async ({ page }, use) => {
    const room = new EngineRoomPage(page);
    page.on('dialog', (dialog) => room.errors.push(`dialog: ${dialog.message()}`));
    await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
    await page.goto('/');
    await expect(room.caption).toContainText(/Step 0 of \d+/);
    await use(room);
    expect(room.errors.filter((error) => !error.includes('/api/'))).toEqual([]);
  },
});

test('fifty thousand events: every one is there, and the page still answers', async ({ room }) => {
  const { page } = room;
  const lasts = BigInt(EVENTS.at(-1)?.mono ?? 0) - BigInt(EVENTS[0]?.mono ?? 0) + 1_000_000n;
  const long = Array.from({ length: 50_000 }, (_, seq) => {
    const event = EVENTS[seq % EVENTS.length] as Line;
    const round = Math.floor(seq / EVENTS.length);
    const again = (id: string): string => `${round}-${id}`;
    return {
      ...event,
      id: again(event.id),
      cause: event.cause === null ? null : again(event.cause),
      ...(event.spanId === undefined ? {} : { spanId: event.spanId }),
      mono: String(BigInt(event.mono) + BigInt(round) * lasts),
      seq,
    };
  });

  const [, once] = await room.step();
  await room.open('long.trace.gz', file(long));
  await expect(room.runs).toContainText('long.trace.gz is open', { timeout: 60_000 });
  await page.locator('h1').click();
  await room.press('End');
  const [step, count] = await room.step();
  expect(step).toBe(count);
  expect(count).toBeGreaterThanOrEqual(once * Math.floor(long.length / EVENTS.length));
  await page.getByRole('tab', { name: 'Events' }).click();
  await expect(page.getByText('50000 of 50000 events')).toBeVisible({ timeout: 60_000 });
  // What is out of view is not in the page.
  expect(await page.locator('.events-row').count()).toBeLessThan(80);
  await page.getByRole('tab', { name: 'Narration' }).click();
  await expect(page.getByText(/\d+ steps came before these/)).toBeVisible();
  await room.press('ArrowLeft');
  await page.locator('h1').click();
  await room.press('Home', 'ArrowRight');
  await expect(room.caption).toContainText(/Step 1 of/);
});

test('a container that wrote a hundred megabytes: the end of it is shown, and how much it was', async ({
  room,
}) => {
  const output = EVENTS.find(({ type }) => type === 'output') as Line;
  const place = EVENTS.indexOf(output);
  const kept = Buffer.alloc(4096, 'all work and no play\n').toString('base64');
  const flood = Array.from({ length: 1600 }, (_, index) => ({
    ...output,
    id: `flood-${index}`,
    offset: index * 65_536,
    base64: kept,
    sizeBytes: 65_536,
    truncated: true,
    seq: 10_000 + index,
  }));

  await room.open(
    'flood.trace.gz',
    file([...EVENTS.slice(0, place), ...flood, ...EVENTS.slice(place + 1)]),
  );
  await room.page.locator('h1').click();
  await room.press('End');

  await expect(room.page.getByRole('heading', { name: /Container output 100 MiB/ })).toBeVisible();
  const text = await room.output.innerText();
  expect(text.length).toBeGreaterThan(1_000);
  expect(text.length).toBeLessThan(30_000);
  expect(text).toContain('[…]');
});

test('markup, escapes and control characters in every field stay text', async ({ room }) => {
  const { page } = room;
  const evil =
    '<img src=x onerror=alert(1)><script>alert(2)</script>\u001b[2J\u001b]0;owned\u0007\u202e';
  const poisoned = EVENTS.map((event) => {
    const copy = JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
    for (const field of ['summary', 'name', 'title', 'detail', 'source'])
      if (typeof copy[field] === 'string') copy[field] = evil;
    if (copy['type'] === 'output')
      copy['base64'] = Buffer.from(`${evil}\nhello`).toString('base64');
    if (copy['type'] === 'message') copy['body'] = { [evil]: evil, __proto__: { polluted: true } };
    const process = copy['process'] as { name?: string; argv?: string[] } | undefined;
    if (process) Object.assign(process, { name: evil, argv: [evil, evil] });
    copy['attributes'] &&= { ...(copy['attributes'] as object), [evil]: evil };
    return copy;
  });
  const head = JSON.parse(HEAD) as { summary: Record<string, unknown> };
  head.summary['title'] = evil;
  head.summary['argv'] = ['docker', evil];
  const title = await page.title();

  await room.open('<b>evil</b>.trace.gz', file(poisoned, head));
  await expect(room.runs).toContainText('<b>evil</b>.trace.gz is open');
  await page.locator('h1').click();
  await room.press('End');
  await expect(room.output).toContainText('<img src=x onerror=alert(1)>');
  for (const tab of ['Events', 'Processes', 'Narration', 'Timeline'])
    await page.getByRole('tab', { name: tab }).click();
  for (let step = 0; step < 12; step += 1)
    await page.getByRole('button', { name: 'Previous step' }).click();
  await page.getByText('The same act in four forms').click();

  expect(await page.locator('img, b:has-text("evil")').count()).toBe(0);
  expect(await page.locator('script:not([src])').filter({ hasText: 'alert(2)' }).count()).toBe(0);
  const text = await page.locator('body').innerText();
  expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202e]/);
  expect(await page.title()).toBe(title);
  expect(await page.evaluate(() => Reflect.get({}, 'polluted') === undefined)).toBe(true);
  await room.expectNoAxeViolation('a poisoned trace');
});
