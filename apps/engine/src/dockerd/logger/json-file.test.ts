import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JsonFile } from './json-file.ts';
import { decodeEntry, encodeEntry } from './log-entry.ts';
import type { Rotation } from './log-options.ts';
import { readLog, type LogQuery } from './log-reader.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-room-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const openLog = (rotation?: Rotation): JsonFile =>
  new JsonFile(join(directory, 'log'), join(directory, 'checkpoint'), rotation);
/** Of the test's folder. */
const openFiles = (): number =>
  readdirSync('/proc/self/fd')
    .map((fd) => readlinkOrNull(`/proc/self/fd/${fd}`))
    .filter((path) => path?.startsWith(directory)).length;
const readlinkOrNull = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    // What the listing itself was read through.
    return null;
  }
};
const entry = (text: string, second = 0) => ({
  stream: 'stdout' as const,
  time: `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000000Z`,
  bytes: Buffer.from(text),
});
const read = async (query: Partial<LogQuery> = {}): Promise<string[]> => {
  const texts: string[] = [];
  const all = { tail: null, since: 0, until: 0, ...query };
  const { signal } = new AbortController();
  for await (const { bytes } of readLog(join(directory, 'log'), all, null, signal)) {
    texts.push(bytes.toString());
  }
  return texts;
};

test('any bytes survive the way through a line of JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const line = encodeEntry({ stream: 'stderr', time: 't', bytes: Buffer.from(bytes) });
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(decodeEntry(line.toString())?.bytes.equals(Buffer.from(bytes))).toBe(true);
    }),
  );
});

test('text looks as in Docker', () => {
  expect(encodeEntry(entry('héllo "you"\n')).toString()).toBe(
    '{"log":"héllo \\"you\\"\\n","stream":"stdout","time":"2026-01-02T03:04:00.000000000Z"}\n',
  );
});

test('after a crash the file says what is safe, and a torn line is cut off', async () => {
  const log = openLog();
  log.append([entry('one\n'), entry('two\n')]);
  await log.close();
  appendFileSync(join(directory, 'log'), '{"log":"thr');

  const again = openLog();

  expect(again.logged).toEqual({ stdout: 8, stderr: 0 });
  again.append([entry('three\n')]);
  await again.close();
  expect(await read()).toEqual(['one\n', 'two\n', 'three\n']);
});

test('a checkpoint spares the sum and changes nothing about it', async () => {
  const log = openLog();
  log.append([entry('one\n')]);
  await log.flush();
  log.saveCheckpoint();
  log.append([entry('four\n')]);
  await log.close();

  expect(openLog().logged).toEqual({ stdout: 9, stderr: 0 });
});

test('tail counts entries from the end, since and until cut by time', async () => {
  const log = openLog();
  log.append(Array.from({ length: 30 }, (_, index) => entry(`line ${index}\n`, index)));
  await log.close();
  const at = (second: number): number => Date.parse('2026-01-02T03:04:00Z') / 1000 + second;

  expect(await read({ tail: 2 })).toEqual(['line 28\n', 'line 29\n']);
  expect(await read({ tail: 0 })).toEqual([]);
  expect(await read({ tail: 99 })).toHaveLength(30);
  expect(await read({ since: at(28) })).toEqual(['line 28\n', 'line 29\n']);
  expect(await read({ until: at(1) })).toEqual(['line 0\n', 'line 1\n']);
});

test('a follower gets what is written later, and the end', async () => {
  const log = openLog();
  log.append([entry('early\n')]);
  await log.flush();
  let isOpen = true;
  const wakers = new Set<() => void>();
  const follower = {
    isOpen: () => isOpen,
    watch: (callback: () => void) => {
      wakers.add(callback);
      const stop = log.watch(callback);
      return () => {
        wakers.delete(callback);
        stop();
      };
    },
  };
  const { signal } = new AbortController();
  const lines = readLog(
    join(directory, 'log'),
    { tail: null, since: 0, until: 0 },
    follower,
    signal,
  );
  expect((await lines.next()).value?.bytes.toString()).toBe('early\n');

  const next = lines.next();
  log.append([entry('late\n')]);

  expect((await next).value?.bytes.toString()).toBe('late\n');
  const end = lines.next();
  isOpen = false;
  for (const wake of wakers) wake();
  expect((await end).done).toBe(true);
  await log.close();
  expect(readFileSync(join(directory, 'log'), 'utf8').split('\n')).toHaveLength(3);
});

test('a crash at any moment of a rotation counts every byte once', async () => {
  const path = join(directory, 'log');
  const rotating = () =>
    new JsonFile(path, join(directory, 'checkpoint'), { maxBytes: 200, maxFiles: 3 });
  const log = rotating();
  log.append(Array.from({ length: 7 }, (_, index) => entry(`line ${index}\n`)));
  await log.close();

  expect(rotating().logged).toEqual({ stdout: 7 * 7, stderr: 0 });
  expect((await read()).at(-1)).toBe('line 6\n');

  // The old checkpoint, and the files already renamed: what is behind it counts, in both.
  const { ino } = statSync(path);
  const { size } = statSync(path);
  writeFileSync(
    join(directory, 'checkpoint'),
    JSON.stringify({ inode: ino, fileBytes: size, stdout: 49, stderr: 0 }),
  );
  appendFileSync(path, encodeEntry(entry('more\n')));
  renameSync(path, `${path}.1`);
  writeFileSync(path, encodeEntry(entry('new\n')));

  expect(rotating().logged).toEqual({ stdout: 49 + 5 + 4, stderr: 0 });
});

test('a tail is found over several files, and a follower goes on into the next', async () => {
  const path = join(directory, 'log');
  const log = new JsonFile(path, join(directory, 'checkpoint'), { maxBytes: 150, maxFiles: 9 });
  log.append(Array.from({ length: 5 }, (_, index) => entry(`line ${index}\n`)));
  await log.flush();

  expect(await read({ tail: 4 })).toEqual(['line 1\n', 'line 2\n', 'line 3\n', 'line 4\n']);

  let isOpen = true;
  let tell = (): void => undefined;
  const follower = {
    isOpen: () => isOpen,
    watch: (callback: () => void) => {
      tell = callback;
      return log.watch(callback);
    },
  };
  const { signal } = new AbortController();
  const seen: string[] = [];
  const query = { tail: 1, since: 0, until: 0 };
  for await (const { bytes } of readLog(path, query, follower, signal)) {
    const text = bytes.toString();
    seen.push(text);
    if (text === 'line 4\n') {
      log.append(Array.from({ length: 6 }, (_, index) => entry(`more ${index}\n`)));
    }
    if (text === 'more 5\n') {
      isOpen = false;
      tell();
    }
  }

  expect(seen).toEqual(['line 4\n', ...Array.from({ length: 6 }, (_, index) => `more ${index}\n`)]);
  await log.close();
});

test('more lines at once than one writev(2) takes are all there, in order', async () => {
  const log = openLog();
  const lines = Array.from({ length: 3_000 }, (_, index) => `${index}\n`);
  log.append(lines.map((line) => entry(line)));
  await log.close();

  expect(await read()).toEqual(lines);
});

test('a log that nothing is written to is not held open', async () => {
  const log = openLog();
  expect(openFiles()).toBe(0);
  log.append([entry('one\n')]);
  await log.flush();
  expect(openFiles()).toBe(1);
  await log.close();
  expect(openFiles()).toBe(0);
});

test('nothing appended changes nothing: a stream may begin with half a line', async () => {
  const log = openLog();
  log.append([]);
  log.append([entry('one\n')]);
  await log.close();
  expect(await read()).toEqual(['one\n']);
});

test('a rotation that fails is tried again, and no line is lost meanwhile', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const inTheWay = join(directory, 'log.1');
  mkdirSync(inTheWay);
  const log = openLog({ maxBytes: 100, maxFiles: 2 });
  const lines = ['one\n', 'two\n', 'three\n'];
  log.append(lines.map((line) => entry(line)));
  await vi.waitUntil(() => written.mock.calls.length > 0);
  expect(written.mock.calls.join()).toMatch(/log: E[A-Z]+: .*; trying again/);
  rmdirSync(inTheWay);

  await log.close();

  expect(await read()).toEqual(lines);
  written.mockRestore();
});

test('a reader that leaves when it has met the next file leaves neither open', async () => {
  const path = join(directory, 'log');
  const log = openLog({ maxBytes: 150, maxFiles: 9 });
  log.append([entry('old 0\n')]);
  await log.flush();
  const follower = { isOpen: () => true, watch: (callback: () => void) => log.watch(callback) };
  const { signal } = new AbortController();
  const all = { tail: null, since: 0, until: 0 };
  const reader = readLog(path, all, follower, signal);
  expect((await reader.next()).value?.bytes.toString()).toBe('old 0\n');

  // The old file grows after the reader has found the new one, as it does between two looks.
  const next = reader.next();
  renameSync(path, `${path}.1`);
  writeFileSync(path, encodeEntry(entry('new\n')));
  log.append([entry('old 1\n')]);
  expect((await next).value?.bytes.toString()).toBe('old 1\n');
  await reader.return(undefined);

  await log.close();
  expect(openFiles()).toBe(0);
});
