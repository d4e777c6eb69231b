/**
 * `lesson.de.md` beside `lesson.md`: the same lesson in another language. Only words may differ; what is run, asked,
 * decided and checked, and the order of it all, is one for every language, and so are recording and solution.
 */
import { basename } from 'node:path';
import type { Block, Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { LessonError } from './fault.ts';

const FILE = /^lesson(?:\.([a-z]{2}))?\.md$/;

/** The language of a lesson's file: null for the original, undefined when it is no such file. */
export const languageOf = (file: string): string | null | undefined => {
  const found = FILE.exec(basename(file));
  return found ? (found[1] ?? null) : undefined;
};

/** Throws a LessonError when the translation is of another lesson than the original. */
export const checkTranslation = (original: Lesson, translation: Lesson, file: string): void => {
  const [theirs, ours] = [partsOf(original), partsOf(translation)];
  for (const [index, part] of theirs.entries()) {
    if (ours[index] === part) continue;
    const reason = `differs from lesson.md: there it is ${part}, here ${ours[index] ?? 'nothing'}`;
    throw new LessonError(file, [{ line: 1, reason }]);
  }
  const more = ours[theirs.length];
  if (more !== undefined)
    throw new LessonError(file, [{ line: 1, reason: `has more than lesson.md: ${more}` }]);
};

const WORDS: ReadonlySet<string> = new Set(['say', 'ask', 'hint']);
const withoutWords = (value: unknown): string =>
  JSON.stringify(value, (key, each: unknown) => (WORDS.has(key) ? undefined : each));

/** All that is not words, piece by piece. */
const partsOf = (lesson: Lesson): readonly string[] => [
  `minutes ${lesson.minutes}`,
  `proves ${lesson.proves.join(', ')}`,
  ...Object.entries(lesson.runs).map(([id, run]) => `the run ${id} ${withoutWords(run)}`),
  ...lesson.predictions.map((each) => `the prediction ${each.id} ${withoutWords(each)}`),
  ...lesson.checks.map((each) => `the check ${each.id} ${withoutWords(each)}`),
  ...lesson.code.map((each) => `the place ${withoutWords(each)}`),
  ...lesson.screens.flatMap(({ blocks }, index) => [
    `screen ${index + 1}`,
    ...blocks.flatMap((block) => directivesOf(block)),
  ]),
];

const directivesOf = (block: Block): readonly string[] => {
  if (block.t === 'p' || block.t === 'code') return [];
  if (block.t === 'list') return block.items.flat().flatMap(directivesOf);
  const { c, ...directive } = 'c' in block ? block : { ...block, c: [] };
  return [`:::${JSON.stringify(directive)}`, ...c.flatMap(directivesOf)];
};
