import { expect, test } from 'vitest';
import { readable } from './readable.ts';

test('control characters and turned directions become visible, in keys and texts, however deep', () => {
  const event = { name: 'a\u001b[2Jb', body: { 'k\u202e': ['x\u0007', { y: 'fine' }] }, n: 1 };

  expect(readable(event)).toEqual({
    name: 'a\ufffd[2Jb',
    body: { 'k\ufffd': ['x\ufffd', { y: 'fine' }] },
    n: 1,
  });
});

test('lines, tabs and every script stay as they are, and nothing is copied', () => {
  const event = { text: 'one\n\ttwo\r\n', words: ['größer', '日本', 'שלום'], nothing: null };

  expect(readable(event)).toBe(event);
});

test('a name that means something to JavaScript is a name', () => {
  const event = JSON.parse('{"__proto__": {"polluted": "\\u0007"}}') as object;

  expect(Object.hasOwn(readable(event), '__proto__')).toBe(true);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});
