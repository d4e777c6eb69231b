import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aSpanEvent, from } from '../testing/events.ts';
import { EmitterCounters } from './emitter-counters.ts';

const nth = (n: number, pid = 1) => from(aSpanEvent(), { n, pid });

test('every hole is told with its size, and nothing else is', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }), (holes) => {
      const counters = new EmitterCounters(() => false);
      let n = 0;
      const told = holes.map((hole) => {
        n += hole;
        return counters.check(nth(n++))?.count ?? 0;
      });
      expect(told).toEqual(holes);
    }),
  );
});

test('a process that is older than the lab may begin anywhere', () => {
  const counters = new EmitterCounters((pid) => pid === 1);

  expect(counters.check(nth(500, 1))).toBeNull();
  expect(counters.check(nth(503, 1))).toMatchObject({
    type: 'dropped',
    count: 2,
    pid: 1,
    actor: 'dockerd',
  });
  expect(counters.check(nth(5, 2))).toMatchObject({ count: 5 });
});

test('a pid that is used again begins anew', () => {
  const counters = new EmitterCounters(() => false);
  for (const n of [0, 1, 2]) counters.check(nth(n));

  expect(counters.check(nth(0))).toBeNull();
  expect(counters.check(nth(1))).toBeNull();
});
