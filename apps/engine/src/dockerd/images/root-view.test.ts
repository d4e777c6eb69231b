import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInRoot } from './root-view.ts';

let outside: string;
let root: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'engine-room-root-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(join(root, 'real'));
  writeFileSync(join(outside, 'passwd'), 'the host');
  writeFileSync(join(root, 'real/passwd'), 'the image');
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

test.each([
  ['an absolute link is one of the image', '/real/passwd', 'the image'],
  ['a relative link is followed', '../real/passwd', 'the image'],
  ['more steps up than there are end at the root', '../../../../../real/passwd', 'the image'],
  ['the host is out of reach', '../../passwd', undefined],
  ['a loop ends', '/etc/passwd', undefined],
  ['a directory is no file', '/real', undefined],
])('%s', async (_, target, expected) => {
  symlinkSync(target, join(root, 'etc/passwd'));

  expect(await readInRoot(root, 'etc/passwd')).toBe(expected);
});

test('a link of a folder cannot lead out either', async () => {
  rmSync(join(root, 'etc'), { recursive: true });
  symlinkSync(outside, join(root, 'etc'));

  expect(await readInRoot(root, 'etc/passwd')).toBeUndefined();
});
