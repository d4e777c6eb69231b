import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JsonFile } from './json-file.ts';
import { decodeEntry, encodeEntry } from './log-entry.ts';
import { readLog, type LogQuery } from './log-reader.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-room-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const openLog = (): JsonFile => new JsonFile(join(directory, 'log'), join(directory, 'checkpoint'));
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
      expect(decodeEntry(line)?.bytes.equals(Buffer.from(bytes))).toBe(true);
    }),
  );
});

test('text looks as in Docker', () => {
  expect(encodeEntry(entry('héllo "you"\n'))).toBe(
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
