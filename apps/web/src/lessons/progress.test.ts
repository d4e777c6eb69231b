import { beforeEach, expect, test, vi } from 'vitest';
import { change, exported, imported, progressOf, progressStore } from './progress.ts';

const ID = '001-a-lesson';
const lesson = (id = ID) => progressOf(progressStore.getState().lessons, id);
const saved = (lessons: unknown): string =>
  JSON.stringify({ format: 'engine-room-progress', lessons });
const AT_ONE = {
  screen: 1,
  answers: { guess: 'a' },
  locked: ['guess'],
  runs: {},
  observations: {},
  isRecorded: false,
  isPassed: false,
};

beforeEach(() => progressStore.setState({ lessons: {} }));

test('what was saved here comes back elsewhere', () => {
  change(ID, () => AT_ONE);
  const file = exported();
  progressStore.setState({ lessons: {} });

  expect(imported(file)).toEqual({ taken: 1 });

  expect(lesson()).toEqual(AT_ONE);
});

test('who is further here stays where they are, and what is passed stays passed', () => {
  change(ID, () => ({ ...AT_ONE, runs: { first: 'f'.repeat(32) } }));

  expect(imported(saved({ [ID]: { ...AT_ONE, isPassed: true } }))).toEqual({ taken: 0 });

  expect(lesson()).toMatchObject({ runs: { first: 'f'.repeat(32) }, isPassed: true });
  expect(imported(saved({ [ID]: { ...AT_ONE, runs: { a: 'x', b: 'y' } } }))).toEqual({ taken: 1 });
  expect(lesson()).toMatchObject({ runs: { a: 'x', b: 'y' }, isPassed: true });
});

test.each([
  ['no JSON', '{', 'noProgress'],
  ['another file', '{"format":"engine-room-trace"}', 'noProgress'],
  ['no lessons', saved({}), 'noLesson'],
  ['a number', saved(7), 'noLesson'],
  ['a name that objects have', saved({ __proto__: AT_ONE, constructor: AT_ONE }), 'noLesson'],
  ['an answer that is none', saved({ [ID]: { ...AT_ONE, answers: { a: { b: 1 } } } }), 'noLesson'],
  ['a lock that is none', saved({ [ID]: { ...AT_ONE, locked: ['<img>'] } }), 'noLesson'],
  [
    'an observation that is none',
    saved({ [ID]: { ...AT_ONE, observations: { x: { holds: 1 } } } }),
    'noLesson',
  ],
])('%s is refused, and nothing is lost', (_name, text, reason) => {
  change(ID, () => AT_ONE);

  expect(imported(text)).toEqual({ problem: reason });

  expect(lesson()).toEqual(AT_ONE);
});

test('fields that are not ours are left out', () => {
  imported(saved({ [ID]: { ...AT_ONE, admin: true, isPassed: 'yes' } }));

  expect(lesson()).toEqual({ ...AT_ONE, isPassed: false });
});

test('a page that is opened again finds what was kept', async () => {
  change(ID, () => AT_ONE);
  vi.resetModules();

  const again = await import('./progress.ts');

  expect(again.progressStore.getState().lessons).toEqual({ [ID]: AT_ONE });
});
