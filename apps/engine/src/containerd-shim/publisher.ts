/**
 * Tells containerd what happens to the container: /tasks/create, /tasks/start, /tasks/exit …
 *
 * containerd may be away at that very moment. Events wait here, in order, until it is back: no exit may be lost,
 * for an exit event is all that dockerd ever hears of the end of a container.
 * Upstream: containerd pkg/shim/publisher.go.
 */
import { create, toBinary, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampNow, type Timestamp } from '@bufbuild/protobuf/wkt';
import { existsSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { kindOf } from '../protocol/errdefs.ts';
import { Events as GrpcEvents } from '../protocol/gen/containerd/events_pb.ts';
import { Events as TtrpcEvents } from '../protocol/gen/task/events-ttrpc_pb.ts';
import type { Level } from '../protocol/trace/event.ts';
import { currentContext, withContext, type SpanContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { createGrpcChannel } from '../transport/grpc-client.ts';
import { createTtrpcChannel } from '../transport/ttrpc-client.ts';
import type { CredentialsOfPeer } from '../transport/unix-socket.ts';
import type { ShimIdentity } from './identity.ts';
import type { ShimLog } from './shim-log.ts';

interface Queued {
  readonly topic: string;
  readonly typeUrl: string;
  readonly value: Uint8Array;
  readonly timestamp: Timestamp;
  readonly context: SpanContext | undefined;
  readonly level: Level;
}

const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 1000;
const CALL_TIMEOUT_MS = 5000;
/** A containerd that understands the event and refuses it will not take it later. */
const WORTH_RETRYING = new Set(['unavailable', 'deadline', 'cancelled']);

export interface Publisher {
  publish<D extends DescMessage>(
    topic: string,
    schema: D,
    event: MessageInitShape<D>,
    level?: Level,
  ): void;
  /** Resolves when nothing waits any more. */
  flushed(): Promise<void>;
  close(): void;
}

export class EventPublisher implements Publisher {
  readonly #namespace: string;
  readonly #log: ShimLog;
  readonly #forward: (event: Queued) => Promise<unknown>;
  readonly #closeChannels: () => void;
  readonly #queue: Queued[] = [];
  #waiters: (() => void)[] = [];
  #isSending = false;
  #isClosed = false;

  constructor(
    identity: ShimIdentity,
    tracer: Tracer,
    log: ShimLog,
    credentialsOfPeer: CredentialsOfPeer,
  ) {
    this.#namespace = identity.namespace;
    this.#log = log;
    const common = {
      tracer,
      peer: 'containerd',
      namespace: identity.namespace,
      credentialsOfPeer,
    } as const;
    const ttrpc = createTtrpcChannel({ ...common, socketPath: identity.ttrpcAddress });
    const grpc = createGrpcChannel({ ...common, socketPath: identity.address });
    const overTtrpc = ttrpc.client(TtrpcEvents);
    const overGrpc = grpc.client(GrpcEvents);
    this.#closeChannels = () => {
      ttrpc.close();
      grpc.close();
    };
    this.#forward = ({ topic, typeUrl, value, timestamp, level }) => {
      const request = {
        envelope: { timestamp, namespace: this.#namespace, topic, event: { typeUrl, value } },
      };
      const options = { timeoutMs: CALL_TIMEOUT_MS, about: topic, level, source: __SOURCE__ };
      // Shims of old use gRPC; so does one whose containerd has no ttrpc socket.
      return existsSync(identity.ttrpcAddress)
        ? overTtrpc.forward(request, options)
        : overGrpc.forward(request, options);
    };
  }

  /** Never fails and never waits. The event is told in the trace of the span that is current now. */
  publish<D extends DescMessage>(
    topic: string,
    schema: D,
    event: MessageInitShape<D>,
    level: Level = 'detail',
  ): void {
    if (this.#isClosed) return;
    this.#queue.push({
      topic,
      typeUrl: schema.typeName,
      value: toBinary(schema, create(schema, event)),
      timestamp: timestampNow(),
      context: currentContext(),
      level,
    });
    if (!this.#isSending) void this.#send();
  }

  flushed(): Promise<void> {
    if (!this.#isSending) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#closeChannels();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    // Whoever asked for what has happened is answered first.
    await setImmediate();
    let retryMs = RETRY_FIRST_MS;
    for (let event = this.#queue[0]; event && !this.#isClosed; event = this.#queue[0]) {
      try {
        await withContext(event.context, () => this.#forward(event));
        this.#queue.shift();
        retryMs = RETRY_FIRST_MS;
      } catch (error) {
        if (!WORTH_RETRYING.has(kindOf(error))) {
          this.#log.warn(`event ${event.topic} was refused`, error);
          this.#queue.shift();
          continue;
        }
        // A socket that nobody serves gives nothing to wait for.
        await setTimeout(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
      }
    }
    this.#isSending = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
