import { expect, test } from 'vitest';
import { parseFilters } from '../protocol/docker-engine-api/filters.ts';
import { parseFilterFlags } from './arguments.ts';

test('filters reach the engine as they were given, those of one name together', () => {
  const text = parseFilterFlags(['label=a=b', 'name=x', 'LABEL=c', 'label=a=b']);

  expect(parseFilters(text)).toEqual({ label: ['a=b', 'c'], name: ['x'] });
});

test('a filter without a value is refused', () => {
  expect(() => parseFilterFlags(['label'])).toThrow('expected name=value');
});
