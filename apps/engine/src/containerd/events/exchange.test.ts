import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { EnvelopeSchema } from '../../protocol/gen/containerd/envelope_pb.ts';
import { TaskExitSchema, TaskStartSchema } from '../../protocol/gen/containerd/task-events_pb.ts';
import { EventExchange, type Delivery } from './exchange.ts';

const take = async (events: AsyncIterable<Delivery>, count: number): Promise<Delivery[]> => {
  const taken: Delivery[] = [];
  for await (const delivery of events) {
    taken.push(delivery);
    if (taken.length === count) break;
  }
  return taken;
};

const pidsOf = (deliveries: readonly Delivery[]): number[] =>
  deliveries.map(
    ({ envelope }) => fromBinary(TaskStartSchema, envelope.event?.value ?? new Uint8Array()).pid,
  );

const startEvents = (exchange: EventExchange, count: number, namespace = 'moby'): void => {
  for (let pid = 0; pid < count; pid += 1)
    exchange.publish(namespace, '/tasks/start', TaskStartSchema, { containerId: 'c', pid });
};

describe('the exchange', () => {
  test('gives a subscriber everything that happened since it subscribed, in order, even before it reads', async () => {
    const exchange = new EventExchange();
    const events = exchange.subscribe([], new AbortController().signal);

    startEvents(exchange, 1000);

    expect(pidsOf(await take(events, 1000))).toEqual(Array.from({ length: 1000 }, (_, pid) => pid));
  });

  test('gives only what the filter lets through', async () => {
    const exchange = new EventExchange();
    const events = exchange.subscribe(
      ['namespace==moby,topic~=|^/tasks/|'],
      new AbortController().signal,
    );

    startEvents(exchange, 3, 'default');
    exchange.publish('moby', '/containers/create', TaskStartSchema, { pid: 77 });
    startEvents(exchange, 1);

    expect(
      (await take(events, 1)).map(({ envelope }) => [envelope.namespace, envelope.topic]),
    ).toEqual([['moby', '/tasks/start']]);
  });

  test('names the type of an event as containerd does, without a host', async () => {
    const exchange = new EventExchange();
    const events = exchange.subscribe([], new AbortController().signal);

    startEvents(exchange, 1);

    expect((await take(events, 1))[0]?.envelope.event?.typeUrl).toBe('containerd.events.TaskStart');
  });

  test('ends a subscription with its signal, after what was queued', async () => {
    const exchange = new EventExchange();
    const abort = new AbortController();
    const events = exchange.subscribe([], abort.signal);
    startEvents(exchange, 2);

    abort.abort();
    startEvents(exchange, 5);

    expect(pidsOf(await take(events, 100))).toEqual([0, 1]);
  });

  test('tells a subscriber that is hopelessly behind, and keeps serving the others', async () => {
    const exchange = new EventExchange();
    const slow = exchange.subscribe(['namespace==moby'], new AbortController().signal);
    startEvents(exchange, 16_384 + 1);
    const fresh = exchange.subscribe([], new AbortController().signal);
    startEvents(exchange, 1);

    await expect(take(slow, Infinity)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(pidsOf(await take(fresh, 1))).toEqual([0]);
  });

  test('keeps an exit that nobody heard for the next subscriber, once', async () => {
    const exchange = new EventExchange();
    const exit = create(EnvelopeSchema, {
      namespace: 'moby',
      topic: '/tasks/exit',
      timestamp: timestampNow(),
      event: { typeUrl: TaskExitSchema.typeName },
    });
    if (!exchange.forward(exit)) exchange.keep('moby/c', exit);

    const wrongOne = exchange.subscribe(['topic=="/images/create"'], AbortSignal.abort());
    const first = exchange.subscribe([], AbortSignal.abort());
    const second = exchange.subscribe([], AbortSignal.abort());

    expect(await take(wrongOne, 9)).toHaveLength(0);
    expect(await take(first, 9)).toHaveLength(1);
    expect(await take(second, 9)).toHaveLength(0);
  });

  test('drops a kept exit when the task is deleted', async () => {
    const exchange = new EventExchange();
    exchange.keep(
      'moby/c',
      create(EnvelopeSchema, {
        namespace: 'moby',
        topic: '/tasks/exit',
        timestamp: timestampNow(),
      }),
    );

    exchange.forget('moby/c');

    expect(await take(exchange.subscribe([], AbortSignal.abort()), 9)).toHaveLength(0);
  });

  test.each(['', 'tasks', '/', '/tasks//exit', '/tasks/ex it'])(
    'refuses the topic "%s"',
    (topic) => {
      expect(() => new EventExchange().publish('moby', topic, TaskStartSchema, {})).toThrow(
        expect.objectContaining({ kind: 'invalid_argument' }),
      );
    },
  );
});
