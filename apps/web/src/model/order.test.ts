import { describe, expect, test } from 'vitest';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { HappenedOrder } from './order.ts';

const anEvent = (
  seq: number,
  mono: number,
  id: string,
  cause: string | null = null,
): SequencedEvent => ({
  type: 'dropped',
  seq,
  id,
  cause,
  traceId: 'a'.repeat(32),
  mono: String(mono),
  level: 'detail',
  emitter: { actor: 'dockerd', pid: 1, n: seq },
  actor: 'dockerd',
  pid: 1,
  count: 1,
});

const idsOf = (order: HappenedOrder): string[] => order.placed.map(({ event }) => event.id);

describe('happened order', () => {
  test('an effect with an earlier stamp is moved behind its cause', () => {
    const order = new HappenedOrder();

    order.add([
      anEvent(0, 1000, 'effect', 'cause'),
      anEvent(1, 1500, 'cause'),
      anEvent(2, 1200, 'between'),
    ]);

    expect(idsOf(order)).toEqual(['between', 'cause', 'effect']);
  });

  test('a cause that arrives last still comes first', () => {
    const order = new HappenedOrder();
    order.add([anEvent(0, 1000, 'effect', 'cause')]);
    order.add([anEvent(1, 900, 'cause')]);

    expect(idsOf(order)).toEqual(['cause', 'effect']);
    expect(order.placed.map(({ at }) => at)).toEqual([0, 100]);
  });

  test('equal stamps go by seq, and no two events share a moment', () => {
    const order = new HappenedOrder();

    order.add([anEvent(1, 1000, 'b'), anEvent(0, 1000, 'a'), anEvent(2, 1000, 'c')]);

    expect(order.placed.map(({ event, at }) => [event.id, at])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  test('a ring of causes is no trap', () => {
    const order = new HappenedOrder();

    order.add([
      anEvent(0, 1000, 'a', 'b'),
      anEvent(1, 1001, 'b', 'a'),
      anEvent(2, 1002, 'self', 'self'),
    ]);

    expect(idsOf(order).sort()).toEqual(['a', 'b', 'self']);
  });

  test('add answers the first place that changed', () => {
    const order = new HappenedOrder();

    expect(order.add([anEvent(0, 1000, 'a'), anEvent(1, 2000, 'c')])).toBe(0);
    expect(order.add([anEvent(2, 3000, 'd')])).toBe(2);
    expect(order.add([anEvent(3, 1500, 'b')])).toBe(1);
    expect(order.add([anEvent(3, 1500, 'b')])).toBe(4);
  });

  test('clocks beyond 2^53 keep their nanoseconds', () => {
    const order = new HappenedOrder();
    const boot = 9_007_199_254_740_993n;

    order.add([
      { ...anEvent(0, 0, 'a'), mono: String(boot) },
      { ...anEvent(1, 0, 'b'), mono: String(boot + 1n) },
    ]);

    expect(order.placed.map(({ at }) => at)).toEqual([0, 1]);
    expect(order.countAt(0)).toBe(1);
    expect(order.countAt(1)).toBe(2);
  });
});
