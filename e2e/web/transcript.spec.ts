/**
 * A run with a fault in it, followed with the keyboard alone and told as a screen reader gets it: by the browser's
 * accessibility tree. The recording is the one of the lesson about killing dockerd.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test, type CDPSession, type Page } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';

const LESSON = new URL(
  '../../content/lessons/009-kill-the-daemon/recording.trace.gz',
  import.meta.url,
);

/** A lesson's recording has a head of its own, and then one trace file after the other. */
const faultRun = (): Buffer => {
  const [, ...lines] = gunzipSync(readFileSync(LESSON)).toString('utf8').trim().split('\n');
  const next = lines.findIndex((line, index) => index > 0 && line.startsWith('{"format"'));
  return gzipSync(lines.slice(0, next === -1 ? lines.length : next).join('\n'));
};

interface AxNode {
  readonly nodeId: string;
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly childIds?: readonly string[];
}

/** What is read out of the list with this name, item by item. */
const listOf = async (client: CDPSession, name: string): Promise<readonly string[]> => {
  const { nodes } = (await client.send('Accessibility.getFullAXTree')) as unknown as {
    nodes: readonly AxNode[];
  };
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const under = (node: AxNode): readonly AxNode[] =>
    (node.childIds ?? []).flatMap((id) => {
      const child = byId.get(id);
      return child ? [child, ...under(child)] : [];
    });
  const list = nodes.find((node) => node.role?.value === 'list' && node.name?.value === name);
  return list
    ? under(list).flatMap((node) => (node.role?.value === 'button' ? [node.name?.value ?? ''] : []))
    : [];
};

const focused = (page: Page): Promise<string> =>
  page.evaluate(() =>
    document.activeElement === document.body ? '' : (document.activeElement?.textContent ?? ''),
  );

/** Tab until this is focused; what one passes is counted. */
const tabTo = async (page: Page, words: string): Promise<number> => {
  for (let stops = 1; stops <= 60; stops += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).includes(words)) return stops;
  }
  throw new Error(`Tab does not come to ${words}`);
};

test('a run with a fault is told whole, in order, and only as far as it has happened', async ({
  page,
}) => {
  const room = new EngineRoomPage(page);
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
  await page.goto('/');
  await expect(room.caption).toContainText(/Step 0 of \d+/);
  await room.open('fault.trace.gz', faultRun());
  await expect(room.runs).toContainText('fault.trace.gz is open');
  const client = await page.context().newCDPSession(page);
  await client.send('Accessibility.enable');

  // From here on there is the keyboard only.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo(page, 'Timeline');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByText(/Nothing has happened yet; \d+ steps are to come/)).toBeVisible();
  const told = 'What has happened, step by step';
  const [, count] = await room.step();
  // In the tabs End is theirs; here it is the run's.
  await tabTo(page, 'Play');
  await page.keyboard.press('End');
  await expect.poll(async () => (await room.step())[0]).toBe(count);

  const story = await listOf(client, told);

  expect(story).toHaveLength(Math.min(count, 200));
  const times = story.map((line) => Number(/^\+([\d.]+) ms/.exec(line)?.[1]));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const whole = story.join('\n');
  for (const actor of ['docker CLI', 'dockerd', 'containerd', 'The shim', 'runc', 'container'])
    expect(whole).toContain(actor);
  const order = [
    /becomes “docker run/,
    /asks dockerd to create a container/,
    /asks dockerd to start the container/,
    /asks containerd to create the task/,
    /asks the shim to create the task/,
    /gets a new parent/,
    /The lab sends SIGKILL to dockerd/,
    /dockerd \(pid \d+\) (dies of SIGKILL|is gone)/,
    /(The shim|The container) lives on/,
  ].map((sentence) => story.findIndex((line) => sentence.test(line)));
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));

  // The same words are announced, the last of them for certain.
  await expect(page.locator('.caption [aria-live="polite"]')).toContainText(`Step ${count} of`);
  await page.keyboard.press('Home');
  await expect.poll(() => listOf(client, told)).toEqual([]);
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => (await listOf(client, told)).length).toBe(1);
  await room.expectNoAxeViolation('the narration');
});

test('few stops before the bright button, one in the stage', async ({ page }) => {
  await page.routeWebSocket(/\/api\/stream/, (line) => line.close());
  await page.goto('/');
  await expect(page.getByText(/Step 0 of \d+/).first()).toBeVisible();
  // The page begins at the button itself; somebody who reads from the top has few stops to it.
  await expect(page.getByRole('button', { name: 'Send Request' })).toBeFocused();
  await page.locator('h1').click();

  expect(await tabTo(page, 'Send Request')).toBeLessThanOrEqual(6);
  const stage = page.getByRole('region', { name: 'Stage' });
  await expect(stage.locator('button[tabindex="0"]')).toHaveCount(1);
});
