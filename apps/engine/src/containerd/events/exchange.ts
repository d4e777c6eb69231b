/**
 * Events inside containerd: shims and services publish, subscribers get what their filters let through.
 *
 * A subscriber that lives loses nothing: what it has not read yet waits, in order. The wait is bounded; a subscriber
 * that falls further behind is told so by the end of its subscription, never by a silent hole.
 * An exit that nobody was listening to (dockerd restarts) is kept for the next subscriber that wants it, until
 * the task is deleted: in real containerd it would be lost, and dockerd would wait for it for ever.
 * Upstream: containerd core/events/exchange.
 */
import { create, toBinary, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { EngineError } from '../../protocol/errdefs.ts';
import { EnvelopeSchema, type Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { currentContext, type SpanContext } from '../../tracing/context.ts';
import { invalidArgument } from '../errors.ts';
import { compileFilters, type Filter } from '../filters/filter.ts';
import { validateIdentifier } from '../identifier.ts';

/** An event on its way, with the trace that it belongs to. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly context: SpanContext | undefined;
}

const QUEUE_LIMIT = 16_384;
const KEPT_LIMIT = 1024;

export class EventExchange {
  readonly #subscriptions = new Set<Subscription>();
  /** By container: exits that no subscriber has seen. */
  readonly #kept = new Map<string, Delivery[]>();

  /** Packs an event of our own. */
  publish<D extends DescMessage>(
    namespace: string,
    topic: string,
    schema: D,
    event: MessageInitShape<D>,
  ): void {
    this.forward(
      create(EnvelopeSchema, {
        timestamp: timestampNow(),
        namespace,
        topic,
        event: { typeUrl: schema.typeName, value: toBinary(schema, create(schema, event)) },
      }),
    );
  }

  /** Passes on somebody else's envelope (a shim's). Answers whether anybody was listening. */
  forward(envelope: Envelope): boolean {
    validateEnvelope(envelope);
    const delivery = { envelope, context: currentContext() };
    let isTaken = false;
    for (const subscription of this.#subscriptions) {
      if (subscription.offer(delivery)) isTaken = true;
    }
    return isTaken;
  }

  /** Keeps an exit that nobody took for the next subscriber. */
  keep(containerKey: string, envelope: Envelope): void {
    const kept = this.#kept.get(containerKey) ?? [];
    this.#kept.delete(containerKey);
    this.#kept.set(containerKey, [...kept, { envelope, context: currentContext() }]);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_LIMIT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** The task is gone: its exit is no news any more. */
  forget(containerKey: string): void {
    this.#kept.delete(containerKey);
  }

  /** Begins now, not at the first read: what happens in between is not lost. Ends with `signal`. */
  subscribe(filters: readonly string[], signal: AbortSignal): AsyncIterable<Delivery> {
    const subscription = new Subscription(compileFilters(filters));
    for (const [key, deliveries] of this.#kept) {
      const left = deliveries.filter((delivery) => !subscription.offer(delivery));
      if (left.length === 0) this.#kept.delete(key);
      else this.#kept.set(key, left);
    }
    this.#subscriptions.add(subscription);
    const end = () => {
      this.#subscriptions.delete(subscription);
      subscription.end();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    return subscription;
  }
}

class Subscription implements AsyncIterable<Delivery> {
  readonly #matches: Filter;
  readonly #queue: Delivery[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #overflowed = false;

  constructor(matches: Filter) {
    this.#matches = matches;
  }

  /** False when the event is not for this subscriber. */
  offer(delivery: Delivery): boolean {
    const { namespace, topic } = delivery.envelope;
    if (this.#ended || this.#overflowed) return false;
    if (
      !this.#matches(([field]) =>
        field === 'namespace' ? namespace : field === 'topic' ? topic : undefined,
      )
    )
      return false;
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#overflowed = true;
      this.#wake?.();
      return false;
    }
    this.#queue.push(delivery);
    this.#wake?.();
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery> {
    for (;;) {
      const next = this.#queue.shift();
      if (next) yield next;
      else if (this.#overflowed) {
        throw new EngineError(
          'unavailable',
          `subscriber is more than ${QUEUE_LIMIT} events behind: unavailable`,
        );
      } else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

/** `/tasks/exit`: at least one component, each a valid identifier. */
const validateTopic = (topic: string): void => {
  if (topic === '') throw invalidArgument('envelope topic "": must not be empty');
  if (!topic.startsWith('/'))
    throw invalidArgument(`envelope topic "${topic}": must start with '/'`);
  if (topic.length === 1)
    throw invalidArgument(`envelope topic "${topic}": must have at least one component`);
  for (const component of topic.slice(1).split('/')) validateIdentifier(component);
};

const validateEnvelope = (envelope: Envelope): void => {
  validateIdentifier(envelope.namespace);
  validateTopic(envelope.topic);
  if (!envelope.timestamp) throw invalidArgument('timestamp must be set on forwarded event');
};
