import { expect, test } from 'vitest';
import type { Command } from './commands.ts';
import { search } from './search.ts';

const command = (words: string, aside: string | null = null): Command => ({
  id: words,
  group: 'page',
  words,
  aside,
  act: () => undefined,
});
const COMMANDS = [
  command('Picture of the stage: PNG'),
  command('Next step', '→'),
  command('Echo hello', 'docker run --rm busybox echo hello'),
  command('Größe des Steges'),
];
const found = (query: string): readonly string[] =>
  search(COMMANDS, query, { page: 'Page' }).map(({ words }) => words);

test.each([
  ['', COMMANDS.map(({ words }) => words)],
  ['step', ['Next step']],
  ['png pict', ['Picture of the stage: PNG']],
  ['busybox', ['Echo hello']],
  ['GROSSE', []],
  ['große', ['Größe des Steges']],
  // What begins with it comes before what has it inside.
  ['ste', ['Next step', 'Größe des Steges']],
  ['page', COMMANDS.map(({ words }) => words)],
  ['nothing like it', []],
])('%j finds %j', (query, words) => {
  expect(found(query)).toEqual(words);
});
