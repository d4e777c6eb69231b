/**
 * What a lesson says of upstream carries a reference, and each reference was looked up: `content/upstream.txt` has them
 * all, and nothing else. Who adds one looks it up and writes it down there; no test asks the network.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Block, Inline } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { readLessons } from './read-lessons.ts';

const linksIn = (blocks: readonly Block[]): readonly string[] =>
  blocks.flatMap((block) => {
    if (block.t === 'p') return block.c.flatMap(linksOf);
    if (block.t === 'list') return block.items.flatMap(linksIn);
    return 'c' in block ? linksIn(block.c) : [];
  });
const linksOf = (inline: Inline): readonly string[] => {
  if (typeof inline === 'string') return [];
  const inner = 'c' in inline ? inline.c.flatMap(linksOf) : [];
  return inline.t === 'link' ? [inline.href, ...inner] : inner;
};

test('every reference to upstream was looked up', () => {
  const lookedUp = readFileSync('content/upstream.txt', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const lessons = readLessons();
  const named = [
    ...lessons.flatMap(({ lesson }) => lesson.code.map(({ upstream }) => upstream)),
    ...lessons
      .flatMap(({ lesson, translations }) => [lesson, ...translations.values()])
      .flatMap(({ screens }) => screens.flatMap(({ blocks }) => linksIn(blocks)))
      // A port of the learner's own container.
      .filter((link) => !link.startsWith('http://127.0.0.1:')),
    ...[
      ...readFileSync('content/glossary.md', 'utf8').matchAll(/^Source: \[[^\]]+\]\((\S+)\)$/gm),
    ].map(([, link = '']) => link),
  ];
  expect(new Set(lookedUp)).toEqual(new Set(named));
  expect(lookedUp).toEqual([...new Set(lookedUp)]);
});
