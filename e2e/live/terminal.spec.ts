/** The page's terminal: docker commands under the page's policy, and a real terminal in a container of one's own. */
import { expect, test } from './live-test.ts';
import type { EngineRoomPage } from '../support/page.ts';
import { traces } from './trace-api.ts';

const opened = async ({ page }: EngineRoomPage): Promise<void> => {
  await page.getByRole('tab', { name: 'Terminal' }).click();
  await expect(page.getByRole('textbox', { name: 'Terminal input' })).toBeFocused();
};

const type = async ({ page }: EngineRoomPage, line: string): Promise<void> => {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
};

const screen = ({ page }: EngineRoomPage) => page.locator('.xterm-rows');

test('a command prints here what it printed, is drawn as a run, and a forbidden one says why', async ({
  room,
}) => {
  await opened(room);
  await type(room, "docker run --rm busybox sh -c 'echo $((6 * 7)) from the terminal'");

  await expect(screen(room)).toContainText('42 from the terminal', { timeout: 30_000 });
  await expect(room.lineOf('from the terminal')).toBeVisible();

  await type(room, 'docker run --privileged busybox id');
  await expect(screen(room)).toContainText('a privileged container is root on this machine');
  await type(room, 'rm -rf /');
  await expect(screen(room)).toContainText('The command must begin with docker');
});

test('docker exec -it is a real terminal: its size follows, its exit code comes back, its trace is told', async ({
  room,
  engine,
  docker,
}) => {
  await room.send('docker run -d --name inside busybox sleep 600');
  await expect(room.endOf('--name inside')).toContainText('exit 0', { timeout: 30_000 });
  await opened(room);

  await type(room, 'docker exec -it inside sh');
  await expect(screen(room)).toContainText('/ #', { timeout: 30_000 });
  await type(room, 'tty; stty size; echo $TERM; hostname');
  await expect(screen(room)).toContainText('/dev/pts/0');
  await expect(screen(room)).toContainText('xterm-256color');
  const sizeBefore = await screen(room).innerText();
  await room.page.setViewportSize({ width: 1100, height: 900 });
  await type(room, 'clear; stty size');
  await expect
    .poll(async () => /\b\d+ \d+\b/.exec(await screen(room).innerText())?.[0])
    .not.toBe(/\b\d+ \d+\b/.exec(sizeBefore)?.[0]);
  await type(room, 'exit 7');
  await expect(screen(room)).toContainText('the program has ended: exit code 7');

  const told = (await traces(engine, room.page)).find(
    ({ title }) => title === 'docker exec -it inside sh',
  );
  expect(told?.eventCount).toBeGreaterThan(10);
  await docker.ok(['rm', '-f', 'inside']);
});

test('a container of somebody else, and one that is not there, are refused in words', async ({
  room,
  docker,
}) => {
  await docker.ok(['run', '-d', '--name', 'foreign', 'busybox', 'sleep', '600']);
  await opened(room);

  await type(room, 'docker exec -it foreign sh');
  await expect(screen(room)).toContainText('was not made from this page');
  await type(room, 'docker exec -it nobody sh');
  await expect(screen(room)).toContainText('No such container: nobody');
  await docker.ok(['rm', '-f', 'foreign']);
});

test('a colour of 24 bits and a selection are seen, under the policy that allows no style attribute', async ({
  room,
}) => {
  await opened(room);
  await type(
    room,
    String.raw`docker run --rm busybox printf '\033[38;2;255;100;0;48;2;0;40;90m%s\033[0m\n' sun''set`,
  );

  const coloured = screen(room).locator('span', { hasText: /^sunset$/ });
  await expect(coloured).toBeVisible({ timeout: 30_000 });
  await expect(coloured).toHaveCSS('color', 'rgb(255, 100, 0)');
  await expect(coloured).toHaveCSS('background-color', 'rgb(0, 40, 90)');
  const box = await coloured.boundingBox();
  // The screen in front of the letters takes the pointer.
  await room.page.mouse.dblclick((box?.x ?? 0) + 8, (box?.y ?? 0) + 6);
  // What is selected has the colour of the selection; the console, which is looked at in the end, has no complaint.
  await expect(coloured).not.toHaveCSS('background-color', 'rgb(0, 40, 90)');
});

test('what a program prints cannot type: reports and titles stay without effect', async ({
  room,
}) => {
  const title = await room.page.title();
  await opened(room);
  await type(
    room,
    String.raw`docker run --rm busybox printf '\033[6n\033]0;docker rm\007\033[c<b>b%s</b>\n' old`,
  );

  await expect(screen(room)).toContainText('<b>bold</b>', { timeout: 30_000 });
  expect(await room.page.title()).toBe(title);
  await expect(screen(room).locator('b')).toHaveCount(0);
  await expect
    .poll(async () => (await screen(room).innerText()).trimEnd().endsWith('$'))
    .toBe(true);
});

test('the keyboard gets out again, and there is no violation', async ({ room }) => {
  await opened(room);
  await room.page.keyboard.press('Shift+Tab');
  await expect(room.page.getByRole('textbox', { name: 'Terminal input' })).not.toBeFocused();
  await room.page.getByRole('textbox', { name: 'Terminal input' }).focus();
  await room.press('Escape', 'Escape');
  await expect(room.page.getByRole('tab', { name: 'Terminal' })).toBeFocused();
  await room.expectNoAxeViolation('the terminal');
});
