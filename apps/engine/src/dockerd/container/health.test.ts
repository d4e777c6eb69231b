import { expect, test } from 'vitest';
import { Health, healthPlan } from './health.ts';

const CHECK = {
  Test: ['CMD', 'true'],
  Interval: 0,
  Timeout: 0,
  StartPeriod: 0,
  StartInterval: 0,
  Retries: 0,
};
const START = Date.parse('2026-01-01T00:00:00Z');
const result = (ExitCode: number, seconds = 60) => ({
  Start: new Date(START + seconds * 1000).toISOString(),
  End: new Date(START + seconds * 1000).toISOString(),
  ExitCode,
  Output: '',
});
const health = (check = {}): Health => {
  const plan = healthPlan({ ...CHECK, ...check });
  if (!plan) throw new Error('nothing to check');
  return new Health(plan, START);
};

test('what was not said is Docker’s', () => {
  expect(healthPlan(CHECK)).toEqual({
    command: ['true'],
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5000,
    retries: 3,
  });
  expect(healthPlan({ ...CHECK, Test: ['NONE'] })).toBeNull();
  expect(healthPlan({ ...CHECK, Test: ['CMD-SHELL', 'a || b'] })?.command).toEqual([
    '/bin/sh',
    '-c',
    'a || b',
  ]);
});

test('one success makes it healthy, three failures unhealthy, one success healthy again', () => {
  const subject = health();

  expect(subject.take(result(0))).toBe(true);
  expect(subject.status).toBe('healthy');
  expect([subject.take(result(1)), subject.take(result(1))]).toEqual([false, false]);
  expect(subject.take(result(-1))).toBe(true);
  expect(subject.answer).toMatchObject({ Status: 'unhealthy', FailingStreak: 3 });
  expect(subject.take(result(0))).toBe(true);
  expect(subject.answer).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
});

test('in the start period failures do not count, and probes come more often', () => {
  const subject = health({ StartPeriod: 20e9, StartInterval: 1e9, Retries: 1 });

  expect(subject.pauseMs(START)).toBe(1000);
  expect(subject.take(result(1, 5))).toBe(false);
  expect(subject.answer).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  expect(subject.pauseMs(START + 20_000)).toBe(30_000);
  expect(subject.take(result(1, 25))).toBe(true);
  expect(subject.status).toBe('unhealthy');
});

test('five results are kept', () => {
  const subject = health();
  for (let count = 0; count < 9; count++) subject.take(result(count));

  expect(subject.answer.Log.map(({ ExitCode }) => ExitCode)).toEqual([4, 5, 6, 7, 8]);
});
