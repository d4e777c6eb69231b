/**
 * Every trick that an archive can play, in one table: what becomes of it, and that nothing outside the root was read,
 * written or removed. Needs root: devices, owners.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { applyLayer } from './apply.ts';

type Entry = Partial<Header> & { readonly name: string; readonly body?: string };

const LIMITS = { maxBytes: 4 * 1024 * 1024, maxEntries: 1000 };

let folder: string;
let target: string;
/** Beside the root: what nobody may touch. */
let outside: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tricks-'));
  target = join(folder, 'root');
  outside = join(folder, 'outside');
  mkdirSync(target);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
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

const link = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname });
const hard = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname });
const file = (name: string, body = 'x'): Entry => ({ name, body });
const device = (name: string): Entry => ({
  name,
  type: 'character-device',
  devmajor: 1,
  devminor: 5,
});
const many = (make: (index: number) => Entry): Entry[] =>
  Array.from({ length: LIMITS.maxEntries + 1 }, (_, index) => make(index));

/** A path that must be there afterwards and what it must hold (null: only be there), or words of the refusal. */
type Outcome =
  { readonly path: string; readonly holds: string | null } | { readonly refused: string };
const contained = (path: string, holds: string | null = 'x'): Outcome => ({ path, holds });
const refused = (words: string): Outcome => ({ refused: words });

const TRICKS: readonly (readonly [trick: string, entries: () => Entry[], Outcome])[] = [
  ['a path upwards', () => [file('../outside/secret')], refused('invalid path')],
  ['a path down and upwards', () => [file('a/../../outside/secret')], refused('invalid path')],
  ['an absolute path', () => [file('/etc/evil')], contained('etc/evil')],
  [
    'a path through an absolute link of the same layer',
    () => [link('a', '/outside'), file('a/evil')],
    contained('outside/evil'),
  ],
  [
    'a path through a link that goes upwards',
    () => [link('a', '../../../outside'), file('a/evil')],
    contained('outside/evil'),
  ],
  [
    'a chain of links',
    () => [link('a', 'b'), link('b', 'c'), link('c', '../outside'), file('a/evil')],
    contained('outside/evil'),
  ],
  ['a link to itself', () => [link('a', 'a'), file('a/evil')], refused('too many links')],
  [
    'two links to each other',
    () => [link('a', 'b'), link('b', 'a'), file('a/evil')],
    refused('too many links'),
  ],
  ['a hard link upwards', () => [hard('a', '../outside/secret')], refused('invalid path')],
  ['a hard link to an absolute path', () => [hard('a', '/etc/shadow')], refused('ENOENT')],
  [
    'a hard link through a link',
    () => [link('a', '../outside'), hard('b', 'a/secret')],
    refused('ENOENT'),
  ],
  [
    'a hard link to a link, then a write into it',
    () => [link('a', '../outside/secret'), hard('b', 'a'), file('b')],
    contained('b'),
  ],
  [
    'a file in the place of a link of the same name',
    () => [link('a', '../outside/secret'), file('a')],
    contained('a'),
  ],
  [
    'a folder in the place of a link of the same name',
    () => [link('a', '../outside'), { name: 'a', type: 'directory' }, file('a/in')],
    contained('a/in'),
  ],
  ['a whiteout upwards', () => [file('../outside/.wh.secret', '')], refused('invalid path')],
  [
    'a whiteout through a link',
    () => [link('a', '../outside'), file('a/.wh.secret', '')],
    contained('a', null),
  ],
  [
    'an opaque folder through a link',
    () => [link('a', '../outside'), file('a/.wh..wh..opq', '')],
    contained('a', null),
  ],
  ['a whiteout of everything', () => [file('.wh..', '')], refused('invalid whiteout name')],
  ['the same name twice', () => [file('a', 'one'), file('a', 'two')], contained('a', 'two')],
  [
    'a file that becomes a folder',
    () => [file('a'), { name: 'a/b', body: 'x' }],
    refused('ENOTDIR'),
  ],
  ['a device of the host’s memory', () => [device('mem')], contained('mem', null)],
  [
    'more devices than there may be entries',
    () => many((n) => device(`d${n}`)),
    refused('entries'),
  ],
  ['more files than there may be', () => many((n) => file(`f${n}`)), refused('entries')],
  [
    'a file larger than allowed',
    () => [file('a', 'x'.repeat(LIMITS.maxBytes + 1))],
    refused('bytes'),
  ],
  [
    'a name of 200 folders',
    () => [file(`${'d/'.repeat(200)}f`)],
    contained(`${'d/'.repeat(200)}f`),
  ],
  [
    'a name with a part that no file system takes',
    () => [file('n'.repeat(300))],
    refused('ENAMETOOLONG'),
  ],
];

test.each(TRICKS)('%s', async (_, entries, outcome) => {
  const bytes = gzipSync(await tarOf(entries()));
  async function* blob() {
    yield bytes;
  }
  const applied = applyLayer({ blob: blob(), target, special: native, limits: LIMITS });

  if ('refused' in outcome) {
    await expect(applied).rejects.toMatchObject({ name: 'EngineError' });
    await expect(applied).rejects.toThrow(outcome.refused);
  } else {
    await applied;
    const path = join(target, outcome.path);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeDefined();
    if (outcome.holds !== null) expect(readFileSync(path, 'utf8')).toBe(outcome.holds);
  }
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
  expect(existsSync('/etc/evil')).toBe(false);
});
