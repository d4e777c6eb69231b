import { beforeEach, describe, expect, test } from 'vitest';
import { captionOf, LONGEST_CAPTION } from '../model/caption.ts';
import { aRun } from '../model/a-run.fixture.ts';
import { RunModel } from '../model/run-model.ts';
import { chooseLanguage, t, wantedLanguage } from './catalogue.ts';
import { commandWords } from './command-words.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { words as lessonWords } from './lesson-words.ts';
import { pictureWords } from './picture-words.ts';
import { w as roomWords } from './room-words.ts';

/** The first load's, and those that come with a chunk. */
const CATALOGUES = [
  ['page', { en, de }],
  ['commands', commandWords.words],
  ['lessons', lessonWords.words],
  ['picture', pictureWords.words],
  ['rooms', roomWords.words],
] as const;

type Leaf = string | ((...given: unknown[]) => string);

/** Every text with its key; functions are asked with the name of an actor, which all of them can say. */
const texts = (catalogue: object, path = ''): readonly (readonly [string, string])[] =>
  Object.entries(catalogue).flatMap(([key, value]: [string, Leaf | object]) => {
    const at = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string') return [[at, value] as const];
    if (typeof value === 'function')
      return [
        [
          at,
          (value as (...given: unknown[]) => string)('shim', 'shim', 'shim', 'shim', 'shim'),
        ] as const,
      ];
    return texts(value, at);
  });

describe.each(CATALOGUES)('the catalogue of the %s', (_, words) => {
  test('has the same keys in both languages, and no text is empty or has a hole', () => {
    const [english, german] = [texts(words.en), texts(words.de)];

    expect(german.map(([key]) => key)).toEqual(english.map(([key]) => key));
    for (const [key, text] of [...english, ...german]) {
      expect(text.trim(), key).not.toBe('');
      expect(text, key).not.toMatch(/undefined|null|NaN|\[object/);
    }
  });

  test('what has several words in English has other words in German', () => {
    const german = new Map(texts(words.de));
    const same = texts(words.en).filter(
      ([key, text]) => /^\p{L}{3,} \p{Ll}{2,} \p{Ll}{2,}/u.test(text) && german.get(key) === text,
    );

    expect(same).toEqual([]);
  });
});

describe('the language', () => {
  test.each([
    ['?lang=de', 'en', ['en'], 'de'],
    ['?lang=xx', 'de', ['en'], 'de'],
    ['', null, ['fr', 'de-AT', 'en'], 'de'],
    ['', null, ['fr'], 'en'],
    ['', '"><script>', [], 'en'],
  ])('%s, chosen %s, spoken %j: %s', (search, chosen, spoken, language) => {
    expect(wantedLanguage(search, chosen, spoken)).toBe(language);
  });
});

describe('a run told in German', () => {
  beforeEach(async () => {
    await chooseLanguage('de');
    return () => chooseLanguage('en');
  });

  test('says each event in one German sentence of bearable length', () => {
    const model = new RunModel();
    model.add(aRun());
    const captions = model.order.placed
      // The titles of system calls are the engine's own words.
      .filter(({ event }) => event.type === 'message' || event.type === 'process')
      .map(({ event }) => captionOf(event, model));

    expect(document.documentElement.lang).toBe('de');
    expect(t().header.lessons).toBe('Lektionen');
    for (const caption of captions) expect(caption.length).toBeLessThanOrEqual(LONGEST_CAPTION);
    expect(captions).toContain('Die docker-CLI bittet dockerd, den Container zu starten.');
    expect(captions).toContain('containerd bittet den Shim über ttrpc, den Task anzulegen.');
    expect(captions.join('\n')).not.toMatch(/ (asks|the|tells|begins|exits) /);
  });
});
