import { expect, test } from 'vitest';
import { DetachKeys, parseDetachKeys } from './detach-keys.ts';

test.each([
  ['', [0x10, 0x11]],
  ['a', [0x61]],
  ['ctrl-a,b,DEL', [1, 0x62, 127]],
  ['ctrl-@,ctrl-_,ctrl-[', [0, 31, 27]],
])('"%s"', (text, codes) => {
  expect([...parseDetachKeys(text)]).toEqual(codes);
});

test.each(['ctrl-', 'ctrl-A', 'F1', 'a,,b', 'ctrl-ab'])('"%s" is no keys', (text) => {
  expect(() => parseDetachKeys(text)).toThrow(`Invalid detach keys (${text}) provided`);
});

/** The pieces as they are typed; what the program gets of each, `!` where the user leaves. */
const typed = (keys: string, ...pieces: string[]): string[] => {
  const detach = new DetachKeys(parseDetachKeys(keys));
  return pieces.map((piece) => {
    const { passed, isLeaving } = detach.read(Buffer.from(piece));
    return `${passed.toString()}${isLeaving ? '!' : ''}`;
  });
};

test('the keys leave, in one piece or in two, and the program does not see them', () => {
  expect(typed('', 'a\x10\x11b')).toEqual(['a!']);
  expect(typed('', 'a\x10', '\x11')).toEqual(['a', '!']);
});

test('the first key alone is the program’s after all, once another one follows', () => {
  expect(typed('', '\x10', 'x')).toEqual(['', '\x10x']);
  expect(typed('', '\x10\x10', '\x11')).toEqual(['\x10', '!']);
});

test('a single key leaves at once', () => {
  expect(typed('q', 'abq')).toEqual(['ab!']);
});
