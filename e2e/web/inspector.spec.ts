/** The inspector's depths and the process tree, on the recorded run. */
import { expect, test as base } from '@playwright/test';
import { EngineRoomPage } from '../support/page.ts';

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

/** Puts the playhead on the first event with these words, by way of the table. */
const goTo = async ({ page }: EngineRoomPage, words: string): Promise<void> => {
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByRole('textbox', { name: /filter/i }).fill(words);
  await page
    .getByRole('listbox', { name: /Events/ })
    .getByRole('option')
    .first()
    .click();
};

test('an event shows what it changed, the code that did it, and the act in four forms', async ({
  room,
}) => {
  const { page } = room;
  await goTo(room, 'asks dockerd to create');
  const inspector = page.getByRole('region', { name: /Inspector/ });

  await expect(inspector.getByText('What changed')).toBeVisible();
  await expect(inspector.getByText(/docker CLI waits for dockerd/)).toBeVisible();

  await inspector.getByText('The code that did it').click();
  await expect(inspector.locator('.source-line[data-marked=true]')).toContainText('__SOURCE__');

  await inspector.getByText('The same act in four forms').click();
  const shown = inspector.locator('[role=tabpanel] pre');
  await expect(shown).toContainText('curl --unix-socket');
  await expect(shown).toContainText('/containers/create');
  await inspector.getByRole('tab', { name: 'Go' }).click();
  await expect(shown).toContainText('cli.ContainerCreate(');
  await inspector.getByRole('tab', { name: 'TypeScript' }).click();
  await expect(shown).toContainText("from 'node:http'");
  await inspector.getByRole('tab', { name: 'CLI' }).click();
  await expect(shown).toContainText('docker run');
  await room.expectNoAxeViolation('everything open');
});

test('an actor shows its page', async ({ room }) => {
  await room.stage.getByRole('button', { name: 'shim' }).click();

  await expect(room.page.getByRole('region', { name: /containerd-shim: the one/ })).toContainText(
    'Only a parent can ask the kernel for an exit code',
  );
  await room.expectNoAxeViolation('a component page');
});

test('the process tree follows the playhead and says when the container is re-parented', async ({
  room,
}) => {
  const { page } = room;
  await goTo(room, 'gets a new parent');
  await page.getByRole('tab', { name: 'Processes' }).click();
  const tree = page.getByRole('tree', { name: /Processes at the playhead/ });

  const moved = tree.getByRole('treeitem').filter({ hasText: 're-parented' });
  await expect(moved).toContainText('container');
  await tree.getByRole('treeitem').first().focus();
  await room.press('End', 'ArrowUp', 'Home');
  await expect(tree.getByRole('treeitem').first()).toBeFocused();
  await room.expectNoAxeViolation('the tree');
  await expect(tree).toContainText('containerd');
});
