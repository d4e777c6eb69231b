import { expect, test } from 'vitest';
import { describeState, humanDuration, INITIAL_STATE, nextState } from './container-state.ts';

test('a container is created, runs, exits, and may run again', () => {
  const running = nextState(INITIAL_STATE, 'running', { pid: 42 });
  const exited = nextState(running, 'exited', { pid: 0, exitCode: 3 });

  expect(nextState(exited, 'running', { pid: 43 })).toMatchObject({ status: 'running', pid: 43 });
});

test('a start that fails goes straight from created to exited', () => {
  expect(nextState(INITIAL_STATE, 'exited', { exitCode: 127 }).exitCode).toBe(127);
});

test.each([
  ['created', 'paused'],
  ['exited', 'paused'],
  ['running', 'removing'],
  ['running', 'created'],
  ['dead', 'running'],
] as const)('a container cannot go from %s to %s', (from, to) => {
  expect(() => nextState({ ...INITIAL_STATE, status: from }, to)).toThrow(`from ${from} to ${to}`);
});

test.each([
  [0.2, 'Less than a second'],
  [1, '1 second'],
  [46, '46 seconds'],
  [61, 'About a minute'],
  [3 * 60, '3 minutes'],
  [3600, 'About an hour'],
  [5 * 3600, '5 hours'],
  [47 * 3600, '47 hours'],
  [3 * 86_400, '3 days'],
  [15 * 86_400, '2 weeks'],
])('%d seconds are told as "%s"', (seconds, words) => {
  expect(humanDuration(seconds)).toBe(words);
});

test('the STATUS column', () => {
  const now = Date.parse('2026-01-01T00:00:10Z');
  const state = {
    ...INITIAL_STATE,
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:07Z',
  };

  expect(describeState({ ...state, status: 'running' }, now)).toBe('Up 10 seconds');
  expect(describeState({ ...state, status: 'exited', exitCode: 137 }, now)).toBe(
    'Exited (137) 3 seconds ago',
  );
  expect(describeState(INITIAL_STATE, now)).toBe('Created');
});
