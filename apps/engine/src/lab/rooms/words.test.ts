import { expect, test } from 'vitest';
import { ROOM_CODE } from '../../protocol/room/room.ts';
import { CODE_COUNT, newCode } from './words.ts';

test('a code is two words that a room may have, and who guesses has many to try', () => {
  expect(CODE_COUNT).toBeGreaterThan(40_000);
  const codes = new Set(Array.from({ length: 300 }, () => newCode(() => false)));
  expect(codes.size).toBeGreaterThan(250);
  for (const code of codes) expect(code).toMatch(ROOM_CODE);
});

test('a code that is taken is not given again', () => {
  const taken: string[] = [];
  const code = newCode((each) => taken.push(each) < 5);
  expect(taken).toHaveLength(5);
  expect(taken.at(-1)).toBe(code);
});
