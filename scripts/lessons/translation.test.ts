import { expect, test } from 'vitest';
import type { Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { readLessons } from './read-lessons.ts';
import { checkTranslation, languageOf } from './translation.ts';

test.each([
  ['content/lessons/001-x/lesson.md', null],
  ['content/lessons/001-x/lesson.de.md', 'de'],
  ['content/lessons/001-x/lesson.german.md', undefined],
  ['content/lessons/001-x/solution.yaml', undefined],
])('%s is in %s', (file, language) => expect(languageOf(file)).toBe(language));

const [first] = readLessons();
if (!first) throw new Error('there are no lessons');
const { lesson } = first;
const translated = (changes: Partial<Lesson>) => (): void =>
  checkTranslation(lesson, { ...lesson, ...changes }, 'lesson.de.md');

test('other words are a translation', () => {
  const predictions = lesson.predictions.map((each) => ({ ...each, ask: 'Was?' }));
  expect(translated({ title: 'Ein Befehl', predictions })).not.toThrow();
});

test.each<[string, Partial<Lesson>, RegExp]>([
  [
    'another command',
    { runs: { first: { command: 'docker ps', tidy: [], tidyVolumes: [] } } },
    /^lesson.de.md:1: differs .* the run first .* here the run first .*docker ps/,
  ],
  [
    'a prediction less',
    { predictions: lesson.predictions.slice(1) },
    /there it is the prediction count/,
  ],
  [
    'a screen more',
    { screens: [...lesson.screens, { title: 'x', blocks: [] }] },
    /has more than lesson.md: screen/,
  ],
  [
    'a check that asks for less',
    { checks: lesson.checks.map((each) => ({ ...each, that: lesson.checks[0]!.that })) },
    /there it is the check six/,
  ],
])('%s is none', (_name, changes, reason) => expect(translated(changes)).toThrow(reason));
