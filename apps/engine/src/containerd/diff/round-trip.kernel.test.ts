/** A tree, changed; the difference as a layer; the layer applied to the first tree: both must be the same. Needs root. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { readTar } from '../archive/tar-reader.ts';
import { encodeHeader, TAR_END } from '../archive/tar-writer.ts';
import { applyLayer } from './apply.ts';
import { changesBetween } from './changes.ts';
import { layerOf } from './write-layer.ts';

const CAPABILITY = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
let folder: string;
let lower: string;
let upper: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'diff-'));
  [lower, upper] = [join(folder, 'lower'), join(folder, 'upper')];
  mkdirSync(lower);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inUpper = (path: string): string => join(upper, path);
/** `cp -a`: owners, times, links and attributes too. */
const copy = (from: string, to: string): void => void execFileSync('cp', ['-a', from, to]);

const layer = async (from: string | undefined = lower): Promise<Buffer> => {
  const parts: Buffer[] = [];
  const changes = changesBetween(from, upper, native);
  for await (const part of layerOf(changes, native, new Date(0))) parts.push(part);
  return Buffer.concat(parts);
};

async function* chunks(bytes: Uint8Array) {
  yield bytes;
}
const namesIn = async (bytes: Buffer): Promise<string[]> => {
  const names: string[] = [];
  for await (const { header } of readTar(chunks(bytes)))
    names.push(`${header.name}${header.linkName === '' ? '' : ` → ${header.linkName}`}`);
  return names;
};

/** Everything about a tree that an image can hold. */
const describeTree = (root: string, path = ''): string[] =>
  readdirSync(join(root, path))
    .sort()
    .flatMap((name) => {
      const at = path === '' ? name : `${path}/${name}`;
      const full = join(root, at);
      const stat = lstatSync(full);
      if (stat.isSocket()) return [];
      const attributes = stat.isSymbolicLink()
        ? []
        : native
            .listAttributes(full)
            .filter((each) => !each.startsWith('trusted.'))
            .map(
              (each) => `${each}=${Buffer.from(native.getAttribute(full, each)).toString('hex')}`,
            );
      const content = stat.isFile() ? readFileSync(full).toString('base64').slice(0, 100) : '';
      const link = stat.isSymbolicLink() ? readlinkSync(full) : '';
      const words = [at, stat.mode.toString(8), stat.uid, stat.gid, stat.rdev, link, content];
      const time = stat.isDirectory() ? '' : String(Math.floor(stat.mtimeMs / 1000));
      const links = stat.isFile() ? stat.nlink : '';
      const size = stat.isFile() ? stat.size : '';
      const line = [...words, time, links, size, ...attributes].join(' ');
      return stat.isDirectory() ? [line, ...describeTree(root, at)] : [line];
    });

const applied = async (bytes: Buffer): Promise<string[]> => {
  const target = join(folder, 'target');
  copy(lower, target);
  await applyLayer({ blob: chunks(bytes), target, special: native });
  return describeTree(target);
};

test('every kind of change survives the way through a layer', async () => {
  for (const name of ['keep/deep', 'gone/deep', 'folder-to-file', 'moved'])
    mkdirSync(join(lower, name), { recursive: true });
  for (const name of ['keep/same', 'keep/changed', 'keep/mode', 'file-to-folder', 'moved/file'])
    writeFileSync(join(lower, name), `${name} in the lower tree`);
  copy(lower, upper);
  writeFileSync(inUpper('keep/changed'), 'other words');
  chmodSync(inUpper('keep/mode'), 0o4711);
  chownSync(inUpper('keep/deep'), 12, 34);
  rmSync(inUpper('gone'), { recursive: true });
  rmSync(inUpper('folder-to-file'), { recursive: true });
  writeFileSync(inUpper('folder-to-file'), 'a file now');
  rmSync(inUpper('file-to-folder'));
  mkdirSync(inUpper('file-to-folder/deep'), { recursive: true });
  renameSync(inUpper('moved'), inUpper('elsewhere'));
  symlinkSync('/nowhere', inUpper('link'));
  native.mkfifo(inUpper('fifo'), 0o600);
  native.mknod(inUpper('null'), 0o020666, 1, 3);
  native.mknod(inUpper('disk'), 0o060600, 259, 300);
  writeFileSync(inUpper('capable'), 'x');
  native.setAttribute(inUpper('capable'), 'security.capability', CAPABILITY);
  writeFileSync(inUpper('twin-1'), 'twins');
  linkSync(inUpper('twin-1'), inUpper('twin-2'));
  writeFileSync(inUpper('n'.repeat(200)), 'long');
  writeFileSync(inUpper('größe'), '');
  truncateSync(inUpper('größe'), 300_000);
  const server = createServer().listen(inUpper('socket'));
  await once(server, 'listening');

  const bytes = await layer();
  server.close();

  expect(await applied(bytes)).toEqual(describeTree(upper));
  expect(await namesIn(bytes)).toContain('twin-2 → twin-1');
});

test('only what changed is in the layer, with the folders on the way', async () => {
  mkdirSync(join(lower, 'a/b/c'), { recursive: true });
  for (const name of ['a/one', 'a/b/two', 'a/b/c/three', 'z'])
    writeFileSync(join(lower, name), 'same');
  // Whole seconds, as every file that came out of a layer has: then the bytes must be looked at.
  for (const name of ['a/one', 'a/b/two', 'a/b/c/three', 'z']) utimesSync(join(lower, name), 9, 9);
  copy(lower, upper);
  expect(await namesIn(await layer())).toEqual([]);

  writeFileSync(inUpper('a/b/c/three'), 'more');
  utimesSync(inUpper('a/b/c/three'), 9, 9);
  rmSync(inUpper('z'));

  expect(await namesIn(await layer())).toEqual(['a/', 'a/b/', 'a/b/c/', 'a/b/c/three', '.wh.z']);
});

test('without a lower tree all of the upper one is the layer', async () => {
  mkdirSync(join(upper, 'bin'), { recursive: true });
  writeFileSync(inUpper('bin/tool'), 'x');

  expect(await namesIn(await layer(undefined))).toEqual(['bin/', 'bin/tool']);
});

test('a link to the host is written as a link and never followed', async () => {
  mkdirSync(upper);
  writeFileSync(join(folder, 'secret'), 'secret of the host');
  symlinkSync(folder, inUpper('way'));
  symlinkSync(join(folder, 'secret'), inUpper('file'));

  const bytes = await layer();

  expect(await namesIn(bytes)).toEqual([`file → ${folder}/secret`, `way → ${folder}`]);
  expect(bytes.includes('secret of the host')).toBe(false);
});

test('a hole in a file is a hole again, and costs no disk', async () => {
  cpSync(lower, upper, { recursive: true });
  writeFileSync(inUpper('sparse'), 'x');
  truncateSync(inUpper('sparse'), 200 * 1024 * 1024);
  const bytes = execFileSync('tar', [
    '-C',
    upper,
    '--sparse',
    '--format=pax',
    '-cf',
    '-',
    'sparse',
  ]);
  expect(bytes.length).toBeLessThan(100_000);
  const target = join(folder, 'holes');
  mkdirSync(target);

  await applyLayer({ blob: chunks(bytes), target, special: native });

  const { size, blocks } = lstatSync(join(target, 'sparse'));
  expect(size).toBe(200 * 1024 * 1024);
  expect(blocks * 512).toBeLessThan(1024 * 1024);
});

test('attributes that steer the kernel’s overlay are not taken from a layer', async () => {
  const header = encodeHeader({
    name: 'folder/',
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    modifiedAt: new Date(0),
    linkName: '',
    major: 0,
    minor: 0,
    attributes: new Map([
      ['trusted.overlay.opaque', Buffer.from('y')],
      ['user.kept', Buffer.from('yes')],
    ]),
  });
  const target = join(folder, 'attributes');
  mkdirSync(target);

  await applyLayer({
    blob: chunks(Buffer.concat([header, TAR_END])),
    target,
    special: native,
  });

  expect(native.listAttributes(join(target, 'folder'))).toEqual(['user.kept']);
});
