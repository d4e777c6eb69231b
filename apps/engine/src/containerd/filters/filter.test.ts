import { describe, expect, test } from 'vitest';
import { compileFilters, lookupLabel, type FieldLookup } from './filter.ts';

const lookupIn =
  (fields: Record<string, string>, labels: Record<string, string> = {}): FieldLookup =>
  ([first, ...rest]) =>
    first === 'labels' ? lookupLabel(labels, rest) : fields[first ?? ''];

const exit = lookupIn({ namespace: 'moby', topic: '/tasks/exit' });

describe('filters', () => {
  test('the filter that dockerd subscribes with picks task events of its namespace', () => {
    const matches = compileFilters(['namespace==moby,topic~=|^/tasks/|']);

    expect(matches(exit)).toBe(true);
    expect(matches(lookupIn({ namespace: 'other', topic: '/tasks/exit' }))).toBe(false);
    expect(matches(lookupIn({ namespace: 'moby', topic: '/images/create' }))).toBe(false);
  });

  test('no filter matches everything, several filters are alternatives', () => {
    expect(compileFilters([])(exit)).toBe(true);
    expect(compileFilters(['topic=="/x"', 'topic=="/tasks/exit"'])(exit)).toBe(true);
    expect(compileFilters(['topic=="/x"', 'topic=="/y"'])(exit)).toBe(false);
  });

  test('a field alone asks for its presence', () => {
    expect(compileFilters(['namespace'])(exit)).toBe(true);
    expect(compileFilters(['labels.missing'])(exit)).toBe(false);
  });

  test('what is not there is not equal to any text but the empty one', () => {
    expect(compileFilters(['parent!=base'])(exit)).toBe(true);
    expect(compileFilters(['parent!=""'])(exit)).toBe(false);
    expect(compileFilters(['parent==""'])(exit)).toBe(false);
  });

  test('labels may be quoted and hold dots', () => {
    const labelled = lookupIn({}, { 'io.x/y': 'a b' });

    expect(compileFilters(['labels."io.x/y"=="a b"'])(labelled)).toBe(true);
    expect(compileFilters(['labels."io.x/y"!="a b"'])(labelled)).toBe(false);
  });

  test("an object's own prototype is no label", () => {
    expect(compileFilters(['labels.constructor'])(lookupIn({}, {}))).toBe(false);
  });

  test('a value runs up to the comma, dots and slashes included', () => {
    const image = lookupIn({ name: 'docker.io/library/busybox:1.36' });

    expect(compileFilters(['name==docker.io/library/busybox:1.36'])(image)).toBe(true);
  });

  test('backslashes of a regular expression survive its quotes', () => {
    expect(compileFilters(['topic~=|^/tasks/ex\\w+$|'])(exit)).toBe(true);
    expect(compileFilters(['topic~=/^\\/tasks\\/exit$/'])(exit)).toBe(true);
  });

  test.each([
    ['==x', 'expected field or quoted'],
    ['a=', 'unsupported operator'],
    ['a==', 'expected value or quoted'],
    ['a==b c', 'unexpected input'],
    ['a=="b', 'not terminated'],
    ['a~=|(|', 'error parsing regexp'],
    ['a==|b|', 'invalid quote'],
    ['a=="\\q"', 'illegal escape'],
    ['a,', 'expected field or quoted'],
  ])('%s is refused: %s', (filter, problem) => {
    expect(() => compileFilters([filter])).toThrow(
      expect.objectContaining({
        kind: 'invalid_argument',
        message: expect.stringContaining(problem) as string,
      }),
    );
  });

  test('a filter that nobody would write by hand is refused', () => {
    expect(() => compileFilters(['x'.repeat(5000)])).toThrow('too long');
  });
});
