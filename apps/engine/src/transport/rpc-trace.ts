/**
 * What gRPC and ttrpc calls tell the trace: a client span, its request and its response, and a server span.
 *
 * The client emits both messages, for it knows when it sent and when it received. The server needs nothing but
 * `traceparent`: its span's parent is the client's span, its cause the client's request.
 */
import type { DescMessage, DescMethod, Message } from '@bufbuild/protobuf';
import { kindOf, messageOf } from '../protocol/errdefs.ts';
import {
  RAW_LIMIT_BYTES,
  type Actor,
  type Attributes,
  type Level,
  type Message as MessageEvent,
  type RawBytes,
} from '../protocol/trace/event.ts';
import { requestId, responseId, spanEndedId, spanStartedId } from '../protocol/trace/event-id.ts';
import {
  currentContext,
  formatTraceparent,
  parseTraceparent,
  type SpanContext,
  withContext,
} from '../tracing/context.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { readable } from './readable.ts';
import { redact, redactBytes } from './redact.ts';
import { answerLevelOf, fullName, levelOf, shortName } from './rpc-level.ts';
import type { CallOptions } from './service.ts';

export interface Peer {
  readonly actor: Actor;
  readonly pid: number | null;
}

const attributesOf = (system: 'grpc' | 'ttrpc', method: DescMethod): Attributes => ({
  'rpc.system': system,
  'rpc.service': method.parent.typeName,
  'rpc.method': method.name,
});

/** Bytes as the trace keeps them. */
export const rawBytes = (bytes: Uint8Array, secrets: readonly string[] = []): RawBytes => {
  const kept = redactBytes(bytes, secrets).subarray(0, RAW_LIMIT_BYTES);
  return {
    base64: Buffer.from(kept.buffer, kept.byteOffset, kept.length).toString('base64'),
    sizeBytes: bytes.length,
    truncated: bytes.length > kept.length,
  };
};

/** A protobuf message with its bytes as the two fields of a `message` event. */
export const tellMessage = (
  schema: DescMessage,
  message: Message,
  bytes: Uint8Array,
): Pick<MessageEvent, 'body' | 'raw'> => {
  const secrets: string[] = [];
  const body = redact(readable(schema, message), secrets);
  return { body, raw: rawBytes(bytes, secrets) };
};

export interface Calling {
  readonly protocol: 'grpc' | 'ttrpc';
  readonly method: DescMethod;
  readonly peer: Peer;
  readonly options: CallOptions;
}

/** A client that tells nothing: whoever it speaks to tells its part too. */
export interface Observed {
  readonly client: Peer;
  readonly context: SpanContext;
  readonly parent: SpanContext | null;
  /** What made the client ask: its own start, then each answer it got. */
  readonly cause: string | null;
  readonly arrivedAt: bigint;
  readonly answerLevel: Level;
}

/** One call as its client tells it (or as it is told for it). Only made when the call belongs to a trace. */
export class ClientCall {
  readonly traceparent: string;
  readonly #span: Span;
  readonly #tracer: Tracer;
  readonly #protocol: 'grpc' | 'ttrpc';
  readonly #source: { readonly source?: string };
  readonly #level: Level;
  readonly #answerLevel: Level;
  readonly #summary: string;
  readonly #client: Peer;
  readonly #arrivedAt: Pick<MessageEvent, 'mono'> | undefined;
  #peer: Peer;

  constructor(tracer: Tracer, { protocol, method, peer, options }: Calling, observed?: Observed) {
    this.#source = options.source ? { source: options.source } : {};
    this.#level = options.level ?? levelOf(method);
    this.#answerLevel = observed?.answerLevel ?? answerLevelOf(method);
    this.#summary = options.about ? `${shortName(method)} ${options.about}` : shortName(method);
    this.#tracer = tracer;
    this.#protocol = protocol;
    this.#peer = peer;
    this.#client = observed?.client ?? { actor: tracer.actor, pid: process.pid };
    this.#arrivedAt = observed && { mono: observed.arrivedAt.toString() };
    this.#span = tracer.startSpan(fullName(method), {
      kind: 'client',
      attributes: {
        ...attributesOf(protocol, method),
        ...(observed && { 'engineroom.told_for': observed.client.actor }),
      },
      ...this.#source,
      ...(observed && {
        context: observed.context,
        parent: observed.parent,
        cause: observed.cause,
        mono: observed.arrivedAt,
      }),
    });
    this.traceparent = formatTraceparent(this.#span.context);
  }

  /** Called when the request is about to be written, by then the connection says who the server is. */
  requested(peer: Peer, content: Pick<MessageEvent, 'body' | 'raw'>): void {
    this.#peer = peer;
    const { spanId } = this.#span.context;
    this.#tracer.emit({
      ...this.#common(),
      ...content,
      id: requestId(spanId),
      direction: 'request',
      from: this.#client,
      to: this.#peer,
      summary: this.#summary,
      level: this.#level,
      // Told for somebody else: it belongs to no span of ours, and was there before we read it.
      ...(this.#arrivedAt && { ...this.#arrivedAt, cause: spanStartedId(spanId) }),
    });
  }

  /** `serverSpanId` is known when the server said so (`traceresponse`). */
  answered(content: Pick<MessageEvent, 'body' | 'raw'>, serverSpanId?: string): void {
    this.#respond(`${this.#summary} answered`, content, serverSpanId);
    this.#span.end();
  }

  failed(error: unknown, code: number, serverSpanId?: string): void {
    const message = messageOf(error);
    this.#respond(
      `${this.#summary} failed: ${message}`,
      { body: { code, message }, raw: null },
      serverSpanId,
    );
    this.#span.end(
      { code: 'error', message },
      { 'error.type': kindOf(error), 'rpc.grpc.status_code': code },
    );
  }

  /** Nobody waits for the answer any more. */
  abandoned(): void {
    this.#span.end({ code: 'error', message: 'the client hung up' });
  }

  #respond(
    summary: string,
    content: Pick<MessageEvent, 'body' | 'raw'>,
    serverSpanId: string | undefined,
  ): void {
    const { spanId } = this.#span.context;
    this.#tracer.emit({
      ...this.#common(),
      ...content,
      id: responseId(spanId),
      direction: 'response',
      from: this.#peer,
      to: this.#client,
      summary,
      level: this.#answerLevel,
      cause: serverSpanId ? spanEndedId(serverSpanId) : requestId(spanId),
    });
  }

  #common(): Pick<MessageEvent, 'type' | 'traceId' | 'spanId' | 'protocol' | 'source'> {
    const { traceId, spanId } = this.#span.context;
    return { type: 'message', traceId, spanId, protocol: this.#protocol, ...this.#source };
  }
}

/** Undefined outside of any trace: calls of a daemon to itself (a health check at boot) are nobody's story. */
export const startClientCall = (
  tracer: Tracer | undefined,
  calling: Calling,
): ClientCall | undefined =>
  tracer && currentContext() ? new ClientCall(tracer, calling) : undefined;

export interface Serving {
  readonly protocol: 'grpc' | 'ttrpc';
  readonly method: DescMethod;
  readonly traceparent: string | undefined;
  /** Where the handlers are. */
  readonly source: string | undefined;
}

export interface ServedCall {
  readonly span: Span | undefined;
  /** Runs the handler inside the span, or outside of any. */
  run<T>(work: () => T): T;
}

/** The server's part: continues the caller's trace. Without a caller's trace nothing is told. */
export const startServedCall = (
  tracer: Tracer | undefined,
  { protocol, method, traceparent, source }: Serving,
): ServedCall => {
  const parent = parseTraceparent(traceparent);
  if (!tracer || !parent) return { span: undefined, run: (work) => withContext(undefined, work) };
  const span = tracer.startSpan(fullName(method), {
    kind: 'server',
    parent,
    cause: requestId(parent.spanId),
    attributes: attributesOf(protocol, method),
    ...(source ? { source } : {}),
  });
  return { span, run: (work) => span.run(work) };
};

/** Ends the span of a handler that threw. */
export const endWithError = (span: Span | undefined, error: unknown, code: number): void =>
  span?.end(
    { code: 'error', message: messageOf(error) },
    { 'error.type': kindOf(error), 'rpc.grpc.status_code': code },
  );
