/** Layers, friendly and hostile, unpacked for real. Needs root: owners, devices. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../content/digest.ts';
import { applyLayer, type LayerLimits } from './apply.ts';
import { native } from '../../native/load.ts';

type Entry = Partial<Header> & { name: string; body?: string };

let folder: string;
let target: string;
let outside: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'layer-'));
  target = join(folder, 'root');
  outside = join(folder, 'outside');
  mkdirSync(target);
  mkdirSync(outside);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tarOf = async (entries: readonly Entry[]): Promise<Buffer> => {
  const tar = pack();
  for (const { body, ...header } of entries) tar.entry(header, body ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

async function* once(bytes: Uint8Array) {
  yield bytes;
}

const apply = (bytes: Uint8Array, limits?: LayerLimits) =>
  applyLayer({
    blob: once(bytes),
    target,
    special: native,
    ...(limits ? { limits } : {}),
  });
const applyEntries = async (...entries: readonly Entry[]) => apply(await tarOf(entries));
/** A frame of zstd, RFC 8878: the content's size in four bytes, then blocks that are kept as they are. */
const zstdHeader = (sizeBytes: number): Buffer => {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  header.writeUInt32LE(sizeBytes, 5);
  return header;
};
const zstdRaw = (bytes: Buffer, isLast = false): Buffer => {
  const header = Buffer.alloc(3);
  header.writeUIntLE((bytes.length << 3) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([header, bytes]);
};
const inTarget = (path: string): string => join(target, path);

describe('a layer', () => {
  test('becomes files with their owner, mode and time', async () => {
    const time = new Date('2020-01-02T03:04:05Z');

    await applyEntries(
      { name: 'etc/', type: 'directory', mode: 0o750, uid: 12, gid: 34, mtime: time },
      { name: 'etc/hostname', body: 'box\n', mode: 0o4755, uid: 56, gid: 78, mtime: time },
    );

    const file = statSync(inTarget('etc/hostname'));
    expect(readFileSync(inTarget('etc/hostname'), 'utf8')).toBe('box\n');
    expect([file.mode & 0o7777, file.uid, file.gid, file.mtimeMs]).toEqual([
      0o4755,
      56,
      78,
      time.getTime(),
    ]);
    const etc = statSync(inTarget('etc'));
    expect([etc.mode & 0o7777, etc.uid, etc.gid, etc.mtimeMs]).toEqual([
      0o750,
      12,
      34,
      time.getTime(),
    ]);
  });

  test('is answered by the digest of the uncompressed tar, compressed or not', async () => {
    const tar = await tarOf([{ name: 'a', body: 'a'.repeat(100_000) }]);

    const plain = await apply(tar);
    const zipped = await apply(gzipSync(tar));

    expect(plain).toEqual({
      digest: digestOf(tar),
      sizeBytes: tar.length,
      entries: 1,
    });
    expect(zipped).toEqual(plain);
  });

  test('may be compressed with zstd', async () => {
    const tar = await tarOf([{ name: 'a', body: 'a'.repeat(300_000) }]);
    const blocks: Buffer[] = [];
    for (let at = 0; at < tar.length; at += 0x20000)
      blocks.push(zstdRaw(tar.subarray(at, at + 0x20000), at + 0x20000 >= tar.length));

    const applied = await apply(Buffer.concat([zstdHeader(tar.length), ...blocks]));

    expect(applied.digest).toBe(digestOf(tar));
    expect(readFileSync(inTarget('a'), 'utf8')).toBe('a'.repeat(300_000));
    // In two frames, with something to skip between.
    const skip = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const half = tar.subarray(0, 512);
    const other = tar.subarray(512, 512 + 0x1ffff);
    const rest = tar.subarray(512 + 0x1ffff);
    const frames = [half, other, rest.subarray(0, 0x20000), rest.subarray(0x20000)].map((part) =>
      Buffer.concat([zstdHeader(part.length), zstdRaw(part, true), skip]),
    );
    expect((await apply(Buffer.concat(frames))).digest).toBe(digestOf(tar));
  });

  test('brings links, FIFOs and devices', async () => {
    await applyEntries(
      { name: 'bin/busybox', body: 'x' },
      { name: 'bin/sh', type: 'link', linkname: 'bin/busybox' },
      { name: 'run/pipe', type: 'fifo', mode: 0o600 },
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
      { name: 'up', type: 'symlink', linkname: '../../etc' },
    );

    expect(lstatSync(inTarget('bin/sh')).ino).toBe(lstatSync(inTarget('bin/busybox')).ino);
    expect(lstatSync(inTarget('run/pipe')).isFIFO()).toBe(true);
    expect(lstatSync(inTarget('dev/null')).isCharacterDevice()).toBe(true);
    expect(lstatSync(inTarget('dev/null')).rdev).toBe((1 << 8) | 3);
    expect(readlinkSync(inTarget('up'))).toBe('../../etc');
  });

  test('replaces a file by a folder and a folder by a file', async () => {
    mkdirSync(inTarget('was-folder/deep'), { recursive: true });
    writeFileSync(inTarget('was-file'), '');

    await applyEntries(
      { name: 'was-folder', body: 'now a file' },
      { name: 'was-file/', type: 'directory' },
    );

    expect(readFileSync(inTarget('was-folder'), 'utf8')).toBe('now a file');
    expect(statSync(inTarget('was-file')).isDirectory()).toBe(true);
  });

  test('deletes by whiteout, and hides a whole folder by an opaque marker, but not what it brought itself', async () => {
    mkdirSync(inTarget('opt/old'), { recursive: true });
    writeFileSync(inTarget('opt/old/file'), '');
    writeFileSync(inTarget('gone'), '');

    await applyEntries(
      { name: '.wh.gone' },
      { name: 'opt/new', body: 'new' },
      { name: 'opt/.wh..wh..opq' },
      { name: 'missing/.wh.nothing' },
    );

    expect(readdirSync(target)).toEqual(['opt']);
    expect(readdirSync(inTarget('opt'))).toEqual(['new']);
  });

  test('may write through a link of a lower layer, inside the root', async () => {
    mkdirSync(inTarget('usr/bin'), { recursive: true });
    symlinkSync('/usr/bin', inTarget('bin'));

    await applyEntries({ name: 'bin/tool', body: 'x' });

    expect(existsSync(inTarget('usr/bin/tool'))).toBe(true);
    expect(lstatSync(inTarget('bin')).isSymbolicLink()).toBe(true);
  });
});

describe('a hostile layer', () => {
  const untouched = (): void => {
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['outside', 'root']);
  };

  test.each(['../evil', 'a/../../evil', '../root/../evil', 'a/b/../../../outside/evil'])(
    'named %s is refused',
    async (name) => {
      await expect(applyEntries({ name, body: 'x' })).rejects.toMatchObject({
        kind: 'invalid_argument',
      });

      untouched();
    },
  );

  test('with an absolute name lands inside the root', async () => {
    await applyEntries({ name: `${outside}/evil`, body: 'x' });

    untouched();
    expect(existsSync(inTarget(`${outside}/evil`))).toBe(true);
  });

  test.each(['absolute', 'relative'])(
    'that writes through its own %s link stays inside',
    async (kind) => {
      await applyEntries(
        { name: 'way', type: 'symlink', linkname: kind === 'absolute' ? outside : '../outside' },
        { name: 'way/evil', body: 'x' },
      );

      untouched();
    },
  );

  test('that links a folder to itself is refused', async () => {
    await expect(
      applyEntries(
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'a' },
        { name: 'a/x', body: '' },
      ),
    ).rejects.toMatchObject({
      kind: 'invalid_argument',
      message: expect.stringContaining('too many links') as string,
    });
  });

  test('cannot hard-link a file of the host', async () => {
    writeFileSync(join(outside, 'secret'), 'secret');

    await expect(
      applyEntries({ name: 'x', type: 'link', linkname: '../outside/secret' }),
    ).rejects.toMatchObject({ kind: 'invalid_argument' });
    await expect(
      applyEntries({ name: 'x', type: 'link', linkname: join(outside, 'secret') }),
    ).rejects.toThrow('ENOENT');
    await expect(
      applyEntries(
        { name: 'way', type: 'symlink', linkname: outside },
        { name: 'x', type: 'link', linkname: 'way/secret' },
      ),
    ).rejects.toThrow('ENOENT');

    expect(statSync(join(outside, 'secret')).nlink).toBe(1);
  });

  test('cannot write into a file of the host through a link at the end of the name', async () => {
    writeFileSync(join(outside, 'secret'), 'secret');
    chmodSync(join(outside, 'secret'), 0o600);

    await applyEntries(
      { name: 'x', type: 'symlink', linkname: join(outside, 'secret') },
      { name: 'x', body: 'overwritten', mode: 0o777, uid: 5 },
    );

    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(statSync(join(outside, 'secret')).mode & 0o777).toBe(0o600);
    expect(readFileSync(inTarget('x'), 'utf8')).toBe('overwritten');
  });

  test('cannot delete outside by whiteout or opaque marker', async () => {
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, inTarget('way'));

    await applyEntries({ name: 'way/.wh.secret' });
    await applyEntries({ name: 'way/.wh..wh..opq' });
    await expect(applyEntries({ name: '.wh...' })).rejects.toMatchObject({
      kind: 'invalid_argument',
    });

    expect(readdirSync(outside)).toEqual(['secret']);
  });

  test('that unpacks to more than allowed is stopped on the way', async () => {
    const bomb = gzipSync(await tarOf([{ name: 'zeros', body: '\0'.repeat(5_000_000) }]));
    expect(bomb.length).toBeLessThan(20_000);

    await expect(apply(bomb, { maxBytes: 1_000_000, maxEntries: 10 })).rejects.toMatchObject({
      kind: 'invalid_argument',
      message: expect.stringContaining('larger than') as string,
    });
    expect(
      existsSync(inTarget('zeros')) ? statSync(inTarget('zeros')).size : 0,
    ).toBeLessThanOrEqual(1_000_000);
  });

  test('of zstd that unpacks to more than allowed is stopped on the way', async () => {
    // 20 000 blocks of 128 KiB zeros, four bytes each, in a file that begins as it should.
    const block = Buffer.alloc(4);
    block.writeUIntLE((0x20000 << 3) | 2, 0, 3);
    const tarHeader = (await tarOf([{ name: 'zeros', body: 'x' }])).subarray(0, 512);
    const bomb = Buffer.concat([
      // No size, and a window of 128 KiB.
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]),
      zstdRaw(tarHeader),
      ...Array<Buffer>(20_000).fill(block),
    ]);
    const before = process.memoryUsage().rss;

    await expect(apply(bomb, { maxBytes: 50_000_000, maxEntries: 10 })).rejects.toMatchObject({
      message: expect.stringContaining('larger than') as string,
    });

    expect(process.memoryUsage().rss - before).toBeLessThan(500 * 1024 * 1024);
  });

  test('of too many entries is stopped', async () => {
    const tar = await tarOf(Array.from({ length: 20 }, (_, index) => ({ name: `f${index}` })));

    await expect(apply(tar, { maxBytes: 1_000_000, maxEntries: 10 })).rejects.toThrow(
      'more than 10 entries',
    );
  });

  test.each([
    [
      'cut short',
      async () => (await tarOf([{ name: 'a', body: 'x'.repeat(5000) }])).subarray(0, 2000),
    ],
    ['no tar at all', async () => Buffer.from('garbage'.repeat(1000))],
    [
      'broken gzip',
      async () =>
        Buffer.concat([
          gzipSync(await tarOf([{ name: 'a', body: 'x' }])).subarray(0, 30),
          Buffer.alloc(100, 7),
        ]),
    ],
    ['zstd that wants 2 GiB of memory', async () => zstdHeader(0x7fff_ffff)],
    ['broken zstd', async () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0])],
  ])('that is %s is refused', async (_, bytes) => {
    await expect(apply(await bytes())).rejects.toMatchObject({ name: 'EngineError' });
  });
});
