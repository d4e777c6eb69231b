import { expect, test } from 'vitest';
import {
  anything,
  byType,
  count,
  LIST_MAX,
  listOf,
  object,
  oneOf,
  orNull,
  text,
  TEXT_MAX,
  type Shape,
} from './shape.ts';

interface Crate {
  readonly type: 'crate';
  readonly label: string;
  readonly content: unknown;
  readonly parts: readonly { readonly size: number }[];
  readonly note?: string;
}

const crate: Shape<Crate> = object<Crate>(
  {
    type: oneOf('crate'),
    label: text(5),
    content: anything,
    parts: listOf(object<Crate['parts'][number]>({ size: count() }), 2),
  },
  { note: text() },
);

const A_CRATE: Crate = { type: 'crate', label: 'A', content: null, parts: [{ size: 1 }] };

const notCount = `is not a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`;

const problemOf = (value: unknown, shape: Shape<unknown> = crate): string => {
  try {
    shape(value);
    return '';
  } catch (error) {
    return String(error);
  }
};

test('what has only what is named is given back itself', () => {
  const full = { ...A_CRATE, note: 'fragile' };

  expect(crate(A_CRATE)).toBe(A_CRATE);
  expect(crate(full)).toBe(full);
});

test('what is not named is left out, however deep it lies, and the given value keeps it', () => {
  const given = { more: 1, ...A_CRATE, parts: [{ size: 1, more: 1 }, { size: 2 }] };

  expect(crate(given)).toEqual({ ...A_CRATE, parts: [{ size: 1 }, { size: 2 }] });
  expect(given.parts[0]).toHaveProperty('more');
});

test.each(['more', '__proto__', 'constructor', 'toString'])(
  'a field %s does not take the place of one that is lacking',
  (field) => {
    const { content: _, ...lacking } = A_CRATE;
    const given = JSON.parse(`${JSON.stringify(lacking).slice(0, -1)},"${field}":{}}`) as unknown;

    const read = crate(given);

    expect(Object.keys(read)).toEqual(Object.keys(lacking));
  },
);

test.each([
  [null, 'is not an object'],
  [[A_CRATE], 'is not an object'],
  [{}, 'type: is none of crate'],
  [{ ...A_CRATE, label: 'A long one' }, 'label: is not a text of 0 to 5 characters'],
  [{ ...A_CRATE, note: null }, 'note: is not a text of 0 to 1000000 characters'],
  [{ ...A_CRATE, parts: {} }, 'parts: is not a list of up to 2'],
  [{ ...A_CRATE, parts: [{}, {}, {}] }, 'parts: is not a list of up to 2'],
  [{ ...A_CRATE, parts: [{ size: 1 }, { size: -1 }] }, `parts.1.size: ${notCount}`],
  [{ ...A_CRATE, parts: [{}] }, `parts.0.size: ${notCount}`],
])('of %j one hears where it is wrong', (value, problem) => {
  expect(problemOf(value)).toBe(problem);
});

test('one of several is told by its type', () => {
  const one = byType<Crate>({ crate });

  expect(one(A_CRATE)).toBe(A_CRATE);
  expect(problemOf({ ...A_CRATE, type: 'barrel' }, one)).toBe('type: is none of crate');
  expect(problemOf({ ...A_CRATE, type: '__proto__' }, one)).toBe('type: is none of crate');
  expect(problemOf('crate', one)).toBe('is not an object');
});

test('null may stand for what there is none of', () => {
  expect(orNull(text())(null)).toBeNull();
  expect(problemOf(undefined, orNull(text()))).not.toBe('');
});

test('a text or a list without end is none', () => {
  expect(problemOf('x'.repeat(TEXT_MAX), text())).toBe('');
  expect(problemOf('x'.repeat(TEXT_MAX + 1), text())).not.toBe('');
  expect(problemOf(Array.from({ length: LIST_MAX + 1 }), listOf(anything))).not.toBe('');
});
