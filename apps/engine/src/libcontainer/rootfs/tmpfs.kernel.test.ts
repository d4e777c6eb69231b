/** A tmpfs over a folder of the image: its permissions, and what it begins with. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { Bench, dockerMounts } from '../testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const S_IFIFO = 0o10000;
const S_IFCHR = 0o20000;

const tmpfs = (destination: string, ...options: string[]) => ({
  spec: { mounts: [...dockerMounts(), { destination, type: 'tmpfs', source: 'tmpfs', options }] },
});

const runIn = async (bundle: ReturnType<Bench['bundle']>): Promise<string> => {
  const { output } = await bench.runBundle(bundle);
  return output.trim();
};

test('tmpcopyup: folders, files, links, FIFOs and devices with owners and permissions; the image stays as it is', async () => {
  const bundle = bench.bundle(
    [
      'sh',
      '-c',
      'cd /data; find . -exec stat -c "%n %F %a %u:%g %t:%T" {} + | sort; cat sub/file; readlink link; rm -r sub; echo new > file2',
    ],
    tmpfs('/data', 'tmpcopyup', 'size=1m'),
  );
  const data = join(bundle.rootfs, 'data');
  mkdirSync(join(data, 'sub/empty'), { recursive: true });
  writeFileSync(join(data, 'sub/file'), 'hello\n');
  chownSync(join(data, 'sub/file'), 7, 8);
  chmodSync(join(data, 'sub/file'), 0o6751);
  chmodSync(join(data, 'sub'), 0o1730);
  chownSync(join(data, 'sub'), 5, 6);
  symlinkSync('/etc/shadow', join(data, 'link'));
  native.mknod(join(data, 'fifo'), S_IFIFO | 0o640, 0, 0);
  native.mknod(join(data, 'null'), S_IFCHR | 0o604, 1, 3);

  expect((await runIn(bundle)).split('\n')).toEqual([
    '. directory 755 0:0 0:0',
    './fifo fifo 640 0:0 0:0',
    './link symbolic link 777 0:0 0:0',
    './null character special file 604 0:0 1:3',
    './sub directory 1730 5:6 0:0',
    './sub/empty directory 755 0:0 0:0',
    './sub/file regular file 6751 7:8 0:0',
    'hello',
    '/etc/shadow',
  ]);
  expect(readdirSync(data).sort()).toEqual(['fifo', 'link', 'null', 'sub']);
});

test('tmpcopyup of more than one batch of names and more than one page of bytes', async () => {
  const names = Array.from({ length: 700 }, (_, index) => `a-file-with-a-long-name-${index}`);
  const bundle = bench.bundle(
    ['sh', '-c', 'ls /data | wc -l; cat /data/a* | md5sum; echo /proc/1/fd/*'],
    tmpfs('/data', 'tmpcopyup'),
  );
  mkdirSync(join(bundle.rootfs, 'data'));
  for (const name of names) writeFileSync(join(bundle.rootfs, 'data', name), name.repeat(40));
  const plain = bench.bundle(['sh', '-c', 'cat /data/a* | md5sum; echo /proc/1/fd/*']);
  mkdirSync(join(plain.rootfs, 'data'));
  for (const name of names) writeFileSync(join(plain.rootfs, 'data', name), name.repeat(40));

  expect(await runIn(bundle)).toBe(`700\n${await runIn(plain)}`);
});

test.each([
  [
    'does not fit',
    ['size=64k'],
    (data: string) => writeFileSync(join(data, 'big'), 'x'.repeat(100_000)),
    'no space left on device',
  ],
  [
    'is too deep',
    [],
    (data: string) => mkdirSync(join(data, 'd/'.repeat(200)), { recursive: true }),
    'file name too long',
  ],
])('tmpcopyup of what %s is an error, and nothing is left', async (_, options, fill, why) => {
  const bundle = bench.bundle(['true'], tmpfs('/data', 'tmpcopyup', ...options));
  mkdirSync(join(bundle.rootfs, 'data'));
  fill(join(bundle.rootfs, 'data'));

  await expect(bench.create(bundle)).rejects.toThrow(
    `error mounting "tmpfs" to rootfs at "/data": tmpcopyup: failed to copy /data: ${why}`,
  );
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});

test('tmpcopyup is for a tmpfs', async () => {
  const mounts = [{ destination: '/x', type: 'proc', source: 'proc', options: ['tmpcopyup'] }];
  await expect(bench.create(bench.bundle(['true'], { spec: { mounts } }))).rejects.toThrow(
    'the mount option tmpcopyup is only for a tmpfs (/x)',
  );
});

test.each([
  ['/data', [], '2750'],
  // A link of the image, which is no way out of it.
  ['/link/inner', [], '711'],
  ['/data', ['mode=700'], '700'],
  ['/new', [], '1777'],
])('a tmpfs on %s with the options %j has the permissions %s', async (place, options, mode) => {
  const bundle = bench.bundle(['stat', '-c', '%a', place], tmpfs(place, ...options));
  mkdirSync(join(bundle.rootfs, 'data/inner'), { recursive: true });
  chmodSync(join(bundle.rootfs, 'data'), 0o2750);
  chmodSync(join(bundle.rootfs, 'data/inner'), 0o711);
  symlinkSync('/../../data', join(bundle.rootfs, 'link'));

  expect(await runIn(bundle)).toBe(mode);
});
