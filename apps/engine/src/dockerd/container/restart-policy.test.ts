import { expect, test } from 'vitest';
import { BackOff, wantsRestart, wantsStartAtBoot } from './restart-policy.ts';

const exit = (exitCode: number, more = {}) => ({
  exitCode,
  wasStopped: false,
  restartCount: 0,
  ...more,
});

test.for([
  ['', 0, exit(1), false],
  ['no', 0, exit(1), false],
  ['always', 0, exit(0), true],
  ['unless-stopped', 0, exit(0), true],
  ['unless-stopped', 0, exit(0, { wasStopped: true }), false],
  ['on-failure', 0, exit(0), false],
  ['on-failure', 0, exit(1, { restartCount: 99 }), true],
  ['on-failure', 3, exit(1, { restartCount: 2 }), true],
  ['on-failure', 3, exit(1, { restartCount: 3 }), false],
] as const)('%s:%i after %j: %s', ([Name, MaximumRetryCount, facts, restarts]) => {
  expect(wantsRestart({ Name, MaximumRetryCount }, facts)).toBe(restarts);
});

test('at boot nothing that failed is tried again, and nothing that was stopped unless it is "always"', () => {
  const policy = (Name: string) => ({ Name, MaximumRetryCount: 0 });

  expect(wantsStartAtBoot(policy('always'), true)).toBe(true);
  expect(wantsStartAtBoot(policy('unless-stopped'), true)).toBe(false);
  expect(wantsStartAtBoot(policy('unless-stopped'), false)).toBe(true);
  expect(wantsStartAtBoot(policy('on-failure'), false)).toBe(false);
});

test('the pause doubles, up to a minute, and begins anew after a long run', () => {
  const backOff = new BackOff();
  const pauses = Array.from({ length: 12 }, () => backOff.next(50));

  expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(pauses.at(-1)).toBe(60_000);
  expect(backOff.next(10_000)).toBe(100);
});
