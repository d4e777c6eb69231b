import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, MAX_ENTRY_BYTES } from './line-splitter.ts';

test('lines are cut at their newline, however the bytes arrive', () => {
  const splitter = new LineSplitter();

  const entries = ['ab', 'c\nd', 'e\n\n', 'f'].flatMap((part) => splitter.push(Buffer.from(part)));

  expect(entries.map(String)).toEqual(['abc\n', 'de\n', '\n']);
  expect(String(splitter.finish())).toBe('f');
});

test('a line longer than 16 KiB is cut there, one of exactly 16 KiB is not', () => {
  const long = Buffer.alloc(MAX_ENTRY_BYTES + 10, 'x');
  const exact = Buffer.alloc(MAX_ENTRY_BYTES, 'y');
  const splitter = new LineSplitter();

  const entries = splitter.push(Buffer.concat([long, Buffer.from('\n'), exact, Buffer.from('\n')]));

  expect(entries.map(({ length }) => length)).toEqual([MAX_ENTRY_BYTES, 11, MAX_ENTRY_BYTES + 1]);
});

test('no byte is lost or changed', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      const splitter = new LineSplitter();
      const entries = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
      const rest = splitter.finish();
      const out = Buffer.concat([...entries, ...(rest ? [rest] : [])]);
      expect(out.equals(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))))).toBe(true);
    }),
  );
});
