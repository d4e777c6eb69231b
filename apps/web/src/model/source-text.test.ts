import { expect, test } from 'vitest';
import { excerptOf, placeOf, upstreamOf } from './source-text.ts';

test('only a place in the engine is a place', () => {
  expect(placeOf('apps/engine/src/dockerd/daemon/start.ts:41')).toEqual({
    path: 'apps/engine/src/dockerd/daemon/start.ts',
    line: 41,
  });
  for (const hostile of [
    'https://evil.example/x.ts:1',
    'apps/engine/src/../../etc/passwd.ts:1',
    'apps/engine/src/a/../b.ts:1',
    '//evil/apps/engine/src/a.ts:1',
    'apps/engine/src/a.ts',
  ])
    expect(placeOf(hostile)).toBeNull();
});

test('the excerpt has the line in it, also at both ends of the file', () => {
  const text = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`).join('\n');
  for (const line of [1, 20, 40])
    expect(excerptOf(text, line).find(({ isMarked }) => isMarked)?.text).toBe(`line ${line}`);
  expect(excerptOf(text, 99_999).some(({ isMarked }) => isMarked)).toBe(false);
});

test('the header names the upstream file', () => {
  expect(
    upstreamOf('/**\n * A sentence.\n * Upstream: moby daemon/start.go,\n * monitor.go.\n */\nx'),
  ).toBe('moby daemon/start.go, monitor.go');
  expect(upstreamOf('const x = 1;')).toBeNull();
});
