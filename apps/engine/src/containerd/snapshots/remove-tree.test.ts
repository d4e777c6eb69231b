import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

let root: string;
let tree: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  tree = join(root, 'tree');
  mkdirSync(join(tree, 'fs/etc'), { recursive: true });
  mkdirSync(join(tree, 'work/work'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  ['small', (): void => undefined],
  [
    'with many files',
    (): void => {
      for (let index = 0; index < 200; index++)
        writeFileSync(join(tree, 'fs/etc', String(index)), '');
    },
  ],
  [
    'with a large file',
    (): void => {
      writeFileSync(join(tree, 'fs/etc/large'), '');
      truncateSync(join(tree, 'fs/etc/large'), 1024 ** 3);
    },
  ],
] as const)('a tree that is %s is removed', async (_, fill) => {
  fill();

  await removeTree(tree);

  expect(existsSync(tree)).toBe(false);
});

test('a link is removed, and not what it leads to', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'precious');
  symlinkSync(outside, join(tree, 'fs/etc/link'));

  await removeTree(tree);

  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(outside, 'file'))).toBe(true);
});

test('a folder whose name is no text does not lead through a link that is called as it is read', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'precious');
  mkdirSync(Buffer.concat([Buffer.from(join(tree, 'fs/')), Buffer.from([0xff])]));
  symlinkSync(outside, join(tree, 'fs/\ufffd'));

  await removeTree(tree);

  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(outside, 'file'))).toBe(true);
});

test('what is not there is removed', async () => {
  await removeTree(join(root, 'nothing'));
});
