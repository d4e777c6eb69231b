import { expect, test } from 'vitest';
import { mountAbove } from './propagation.ts';

const TABLE = [
  '1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw',
  '2 1 8:2 / /home rw - ext4 /dev/sda2 rw',
  '3 2 8:3 / /home/my\\040data rw,nosuid shared:7 master:2 - ext4 /dev/sda3 rw',
  '4 2 0:9 / /home rw master:5 - tmpfs tmpfs rw',
].join('\n');

test.each([
  ['/etc', '/', ['shared:1']],
  ['/homes', '/', ['shared:1']],
  ['/home/x', '/home', ['master:5']],
  ['/home/my data/x', '/home/my data', ['shared:7', 'master:2']],
])('%s lies on %s', (path, target, tags) => {
  expect(mountAbove(path, TABLE)).toEqual({ target, tags });
});
