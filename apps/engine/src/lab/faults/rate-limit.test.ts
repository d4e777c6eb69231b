import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

test('a few at once, then one for each refill, and never more than the few', () => {
  let now = 0;
  const limit = new RateLimit(2, 1000, () => now);
  expect([limit.take(), limit.take()]).toEqual([0, 0]);
  expect(limit.take()).toBe(1000);
  now = 400;
  expect(limit.take()).toBe(600);
  now = 1000;
  expect(limit.take()).toBe(0);
  expect(limit.take()).toBe(1000);
  now = 60_000;
  expect([limit.take(), limit.take(), limit.take()]).toEqual([0, 0, 1000]);
});

test('without a refill time there is no limit', () => {
  const limit = new RateLimit(1, 0, () => 0);
  expect([limit.take(), limit.take(), limit.take()]).toEqual([0, 0, 0]);
});
