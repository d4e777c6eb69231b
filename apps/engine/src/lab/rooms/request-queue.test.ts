import { expect, test } from 'vitest';
import { RequestQueue } from './request-queue.ts';

test('who was served less comes before who was served more, else first come, first served', () => {
  let now = 0;
  const queue = new RequestQueue(() => now);
  queue.add('eager', 'docker ps');
  expect(queue.next()?.device).toBe('eager');
  now += 60_000;
  expect(queue.add('eager', 'docker ps')).toBeNull();
  expect(queue.add('late', 'docker ps')).toBeNull();
  expect(queue.add('later', 'docker version')).toBeNull();

  expect(queue.placeOf('late')).toBe(1);
  expect(queue.placeOf('later')).toBe(2);
  expect(queue.placeOf('eager')).toBe(3);
  expect(
    [queue.next(), queue.next(), queue.next(), queue.next()].map((each) => each?.device),
  ).toEqual(['late', 'later', 'eager', undefined]);
});

test('one request at a time, and not again at once', () => {
  let now = 0;
  const queue = new RequestQueue(() => now);
  expect(queue.add('a', 'docker ps')).toBeNull();
  expect(queue.add('a', 'docker ps')).toMatch(/one request at a time/);
  queue.next();
  now += 4_000;
  expect(queue.add('a', 'docker ps')).toMatch(/again in 6 s/);
  now += 6_000;
  expect(queue.add('a', 'docker ps')).toBeNull();
});

test('it has an end, and what is not offered any more leaves it', () => {
  const queue = new RequestQueue(() => 0);
  for (let device = 0; device < 200; device += 1)
    queue.add(`d${device}`, device % 2 ? 'docker ps' : 'docker version');
  expect(queue.add('one more', 'docker ps')).toMatch(/full/);
  expect(queue.keepOnly(['docker ps'])).toHaveLength(100);
  expect(queue.placeOf('d0')).toBeNull();
  expect(queue.placeOf('d1')).toBe(1);
});
