/** Our reader against archives of GNU tar, and GNU tar against archives of our writer. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodePax, encodePax } from './pax.ts';
import { readTar, type TarHeader } from './tar-reader.ts';
import { encodeHeader, padding, TAR_END } from './tar-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tar-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In pieces of odd sizes, as a network brings them. */
async function* inPieces(bytes: Uint8Array, length = 777) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

interface Read extends TarHeader {
  readonly content: Buffer;
}

const readAll = async (bytes: Uint8Array): Promise<Read[]> => {
  const entries: Read[] = [];
  for await (const { header, data } of readTar(inPieces(bytes))) {
    const content = Buffer.alloc(header.sizeBytes);
    for await (const piece of data) piece.bytes.copy(content, piece.offset);
    entries.push({ ...header, content });
  }
  return entries;
};

const gnuTar = (...args: readonly string[]): Buffer =>
  execFileSync('tar', ['-C', folder, '-cf', '-', ...args], { maxBuffer: 64 * 1024 * 1024 });

const NAMES = { short: 'file', long: `${'folder/'.repeat(20)}${'n'.repeat(90)}` };

describe.each(['v7', 'oldgnu', 'gnu', 'ustar', 'pax'])('an archive in the format %s', (format) => {
  test('is read with its files, folders and links', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub/file'), 'content\n', { mode: 0o640 });
    symlinkSync('file', join(folder, 'sub/symlink'));
    linkSync(join(folder, 'sub/file'), join(folder, 'sub/twin'));
    writeFileSync(join(folder, 'big'), Buffer.alloc(100_001, 'x'));

    const entries = await readAll(gnuTar(`--format=${format}`, '--sort=name', 'big', 'sub'));

    expect(entries.map(({ name, type, linkName }) => [name, type, linkName])).toEqual([
      ['big', 'file', ''],
      ['sub/', 'directory', ''],
      ['sub/file', 'file', ''],
      ['sub/symlink', 'symlink', 'file'],
      ['sub/twin', 'link', 'sub/file'],
    ]);
    expect(entries[0]?.content).toEqual(readFileSync(join(folder, 'big')));
    expect(entries[2]).toMatchObject({ mode: 0o640, sizeBytes: 8 });
    expect(entries[2]?.content.toString()).toBe('content\n');
  });
});

test.each(['oldgnu', 'gnu', 'pax'])('long names are read in the format %s', async (format) => {
  mkdirSync(join(folder, 'folder/'.repeat(20)), { recursive: true });
  writeFileSync(join(folder, NAMES.long), 'x');

  const [entry] = await readAll(gnuTar(`--format=${format}`, NAMES.long));

  expect(entry?.name).toBe(NAMES.long);
});

describe.each([
  ['gnu', 'old', []],
  ['pax', '0.0', ['--sparse-version=0.0']],
  ['pax', '0.1', ['--sparse-version=0.1']],
  ['pax', '1.0', ['--sparse-version=1.0']],
] as const)('a sparse file (%s, %s)', (format, _, flags) => {
  test('comes with its holes, many or few', async () => {
    const file = openSync(join(folder, 'sparse'), 'w');
    for (let index = 0; index < 60; index += 1) writeSync(file, `piece ${index}`, index * 65_536);
    closeSync(file);
    truncateSync(join(folder, 'sparse'), 60 * 65_536 + 1234);
    writeFileSync(join(folder, 'after'), 'after');
    const bytes = gnuTar(`--format=${format}`, '--sparse', ...flags, 'sparse', 'after');
    expect(bytes.length).toBeLessThan(1_000_000);

    const [sparse, after] = await readAll(bytes);

    expect(sparse?.name).toBe('sparse');
    expect(sparse?.content.equals(readFileSync(join(folder, 'sparse')))).toBe(true);
    expect(after?.content.toString()).toBe('after');
  });
});

const header = (fields: Partial<TarHeader>): TarHeader => ({
  name: 'file',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  modifiedAt: new Date(1_600_000_000_000),
  linkName: '',
  major: 0,
  minor: 0,
  attributes: new Map(),
  ...fields,
});

const archiveOf = (...entries: (Partial<TarHeader> & { content?: string })[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap(({ content = '', ...fields }) => {
      const body = Buffer.from(content);
      return [
        encodeHeader(header({ ...fields, sizeBytes: body.length })),
        body,
        padding(body.length),
      ];
    }),
    TAR_END,
  ]);

describe('what we write', () => {
  test('is read back as it was, and GNU tar lists the same', async () => {
    const entries = [
      { name: 'plain', content: 'x', uid: 1000, gid: 1000 },
      { name: 'größe/日本', content: 'y', uid: 3_000_000, gid: 4_000_000 },
      { name: NAMES.long, content: 'z' },
      { name: 'link', type: 'symlink' as const, linkName: 't'.repeat(200) },
      { name: 'before', modifiedAt: new Date(-5000) },
      { name: 'dev', type: 'character-device' as const, major: 1, minor: 3 },
      {
        name: 'capable',
        attributes: new Map([['security.capability', Buffer.from([1, 0, 0, 2, 0x80, 0xff, 0])]]),
      },
    ];
    const bytes = archiveOf(...entries);

    const read = await readAll(bytes);
    const listed = execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], { input: bytes });

    expect(read).toHaveLength(entries.length);
    for (const [index, entry] of entries.entries()) {
      const { content = '', ...fields } = entry;
      expect(read[index]).toMatchObject(fields);
      expect(read[index]?.content.toString()).toBe(content);
    }
    expect(listed.toString().trim().split('\n')).toEqual(entries.map(({ name }) => name));
  });
});

describe('what is no tar', () => {
  const changed = (at: number, byte: number): Buffer => {
    const bytes = archiveOf({ content: 'content' });
    bytes[at] = byte;
    return bytes;
  };

  test.each([
    ['a wrong checksum', changed(0, 0x41)],
    ['garbage', Buffer.alloc(1024, 'garbage')],
    ['an end in a header', archiveOf({ content: 'x' }).subarray(0, 300)],
    ['an end in the data', archiveOf({ content: 'x'.repeat(2000) }).subarray(0, 1500)],
  ])('is refused: %s', async (_, bytes) => {
    await expect(readAll(bytes)).rejects.toMatchObject({ kind: 'invalid_argument' });
  });

  test('random bytes are refused or read, and never loop or crash', async () => {
    const valid = archiveOf(
      { content: 'x'.repeat(600) },
      { name: NAMES.long, attributes: new Map([['user.a', Buffer.from('b')]]) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 20 }),
        async (edits) => {
          const bytes = Buffer.from(valid);
          for (const [at, byte] of edits) bytes[at] = byte;
          await readAll(bytes).catch((error: unknown) => {
            expect(error).toMatchObject({ kind: 'invalid_argument' });
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a PAX record that lies about its length is refused', () => {
    for (const text of ['5 a=b\n', '99 a=b\n', 'x a=b\n', '6 ab\n\n', '-1 a=b\n'])
      expect(() => decodePax(Buffer.from(text))).toThrow('PAX');
    const records = [['key', Buffer.from('v'.repeat(92))]] as const;
    expect(decodePax(encodePax(records))).toEqual(records);
  });
});
