import { expect, test } from 'vitest';
import { notesAt } from './notes.ts';

const NOTES = 'Welcome them.\n[3] The socket.\nAsk who owns it.\n[7] The shim.\n[9]\nKill it.';

test.each([
  [0, 'Welcome them.'],
  [2, 'Welcome them.'],
  [3, 'The socket.\nAsk who owns it.'],
  [6, 'The socket.\nAsk who owns it.'],
  [7, 'The shim.'],
  [40, 'Kill it.'],
])('at step %i one reads what belongs there', (step, words) => {
  expect(notesAt(NOTES, step)).toBe(words);
});

test('text without markers is there all the time, and brackets in a sentence are no marker', () => {
  expect(notesAt('See [4] in the book.', 0)).toBe('See [4] in the book.');
  expect(notesAt('', 5)).toBe('');
});
