/**
 * Tells the trace of one API request: for a client that cannot tell it itself, the request and the response as they
 * crossed the socket; and always the span of the daemon's own work.
 *
 * The trace is, in this order: the caller's (`traceparent`); the docker command's; a new one for this request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Level, Message, RawBytes } from '../../protocol/trace/event.ts';
import {
  requestId,
  responseId,
  spanEndedId,
  spanStartedId,
} from '../../protocol/trace/event-id.ts';
import {
  newSpanId,
  newTraceId,
  parseTraceparent,
  type SpanContext,
} from '../../tracing/context.ts';
import type { Span, Tracer } from '../../tracing/tracer.ts';
import { redact } from '../../transport/redact.ts';
import { rawBytes } from '../../transport/rpc-trace.ts';
import type { ClientProcesses } from '../../transport/client-processes.ts';

export interface RouteInfo {
  readonly method: string;
  /** As in the API's reference: `/containers/{id}/start`. */
  readonly path: string;
  readonly level: Level;
}

/** Kept of an answer for the trace. */
const ANSWER_LIMIT_BYTES = 64 * 1024;
const SECRET_HEADER =
  /^(x-registry-auth|x-registry-config|authorization|proxy-authorization|cookie)$/i;
/** "Now it is a stream" and "done" bring nothing back. */
const SAYS_NOTHING = /^(101|204) /;
const UNSAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/;

/** The head as it was sent, header by header in the client's order, without secrets. */
const headOf = (request: IncomingMessage): string => {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    const value = SECRET_HEADER.test(name) ? '•••' : request.rawHeaders[index + 1];
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
};

const decoded = (bytes: Buffer, secrets: string[]): unknown => {
  if (bytes.length === 0) return null;
  const text = bytes.toString('utf8');
  try {
    return redact(JSON.parse(text), secrets);
  } catch {
    return text.length > 1024 ? `${text.slice(0, 1024)}…` : text;
  }
};

const content = (head: string, body: Buffer): { body: unknown; raw: RawBytes } => {
  const secrets: string[] = [];
  const value = decoded(body, secrets);
  return { body: value, raw: rawBytes(Buffer.concat([Buffer.from(head), body]), secrets) };
};

/** What the caller of a traced request may do with it. */
export interface RequestTrace {
  /** The daemon's work, as a span of the client's trace. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** What the answer had to wait for: an event of the trace. */
  because(cause: string): void;
  /** The answer's head, and its body as far as it is kept. */
  answered(summary: string, head: string, body: Buffer): void;
}

const untraced: RequestTrace = {
  run: (work) => work(),
  because: () => undefined,
  answered: () => undefined,
};

export interface RequestTraceOptions {
  readonly tracer: Tracer;
  readonly clients: ClientProcesses;
  readonly route: RouteInfo;
  readonly request: IncomingMessage;
  /** The path as the client sent it; `request.url` has lost its version by now. */
  readonly originalUrl: string;
  readonly body: Buffer;
  readonly arrivedAt: bigint;
  /** The container that the request is about, and the trace that created it. */
  readonly container: { readonly id: string; readonly traceId: string | null } | null;
}

export const traceRequest = (options: RequestTraceOptions): RequestTrace => {
  const { request, clients } = options;
  const traceparent = request.headers['traceparent'];
  // The client asks not to be recorded: the lab's own questions are not part of anybody's story.
  if (typeof traceparent === 'string' && UNSAMPLED.test(traceparent)) return untraced;
  const caller = parseTraceparent(typeof traceparent === 'string' ? traceparent : undefined);
  if (caller) return withServerSpan(options, caller, () => undefined);
  const client = clients.of(request.socket);
  const command = client ? clients.commandOf(client) : null;
  const clientPid = client?.pid ?? null;
  if (command) {
    const { traceId } = command.context;
    return observed(options, { traceId, parent: command.context, chain: command }, clientPid);
  }
  const traceId = newTraceId();
  const lastCause = client ? clients.tellExec(client, traceId) : null;
  return observed(options, { traceId, parent: null, chain: { lastCause } }, clientPid);
};

interface Origin {
  readonly traceId: string;
  readonly parent: SpanContext | null;
  /** Request follows answer follows request: what the client did last. */
  readonly chain: { lastCause: string | null };
}

/** We stand at the receiving end, and tell both messages for a client that tells nothing. */
const observed = (
  options: RequestTraceOptions,
  origin: Origin,
  clientPid: number | null,
): RequestTrace => {
  const { tracer, route, request, body, arrivedAt, originalUrl } = options;
  const name = `${route.method} ${route.path}`;
  const span: Span = tracer.startSpan(name, {
    kind: 'client',
    parent: origin.parent,
    context: { traceId: origin.traceId, spanId: newSpanId() },
    cause: origin.chain.lastCause,
    mono: arrivedAt,
    source: __SOURCE__,
  });
  const { traceId, spanId } = span.context;
  const docker = { actor: 'docker' as const, pid: clientPid };
  const dockerd = { actor: 'dockerd' as const, pid: process.pid };
  const message = (
    direction: 'request' | 'response',
    fields: Pick<Message, 'id' | 'summary' | 'body' | 'raw' | 'level' | 'cause'>,
    mono?: bigint,
  ): void =>
    tracer.emit({
      type: 'message',
      traceId,
      spanId,
      protocol: 'http',
      direction,
      from: direction === 'request' ? docker : dockerd,
      to: direction === 'request' ? dockerd : docker,
      source: __SOURCE__,
      ...(mono === undefined ? {} : { mono: mono.toString() }),
      ...fields,
    });
  message(
    'request',
    {
      id: requestId(spanId),
      cause: spanStartedId(spanId),
      summary: `${request.method} ${originalUrl.split('?', 1)[0]}`,
      level: route.level,
      ...content(headOf(request).replace(` ${request.url} `, ` ${originalUrl} `), body),
    },
    arrivedAt,
  );
  return withServerSpan(options, span.context, (serverSpanId, summary, head, answer) => {
    message('response', {
      id: responseId(spanId),
      cause: spanEndedId(serverSpanId),
      summary,
      level: route.level === 'detail' || SAYS_NOTHING.test(summary) ? 'detail' : 'step',
      ...content(head, answer),
    });
    origin.chain.lastCause = responseId(spanId);
    span.end({ code: 'ok' }, {}, { cause: responseId(spanId) });
  });
};

const withServerSpan = (
  { tracer, route, request, originalUrl, container }: RequestTraceOptions,
  parent: SpanContext,
  onAnswer: (serverSpanId: string, summary: string, head: string, body: Buffer) => void,
): RequestTrace => {
  const span = tracer.startSpan(`${route.method} ${route.path}`, {
    kind: 'server',
    parent,
    cause: requestId(parent.spanId),
    // Within its own trace there is nothing to go back to.
    ...(container?.traceId && container.traceId !== parent.traceId
      ? { links: [{ traceId: container.traceId }] }
      : {}),
    attributes: {
      ...(container ? { 'container.id': container.id } : {}),
      'http.request.method': request.method ?? '',
      'http.route': route.path,
      'url.path': originalUrl.split('?', 1)[0] ?? '',
      'user_agent.original': request.headers['user-agent'] ?? '',
    },
    source: __SOURCE__,
  });
  let reason: string | null = null;
  return {
    run: (work) => span.run(work),
    because: (cause) => {
      reason = cause;
    },
    answered: (summary, head, body) => {
      const status = Number(summary.slice(0, 3));
      span.end(
        status >= 400 ? { code: 'error', message: summary } : { code: 'ok' },
        { 'http.response.status_code': status },
        reason === null ? {} : { cause: reason },
      );
      onAnswer(span.context.spanId, summary, head, body);
    },
  };
};

/** Watches what a response writes, and tells it when it is through (or when the client is gone). */
export const captureAnswer = (response: ServerResponse, trace: RequestTrace): void => {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  const keep = (chunk: unknown): void => {
    if (keptBytes >= ANSWER_LIMIT_BYTES) return;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const bytes = Buffer.from(chunk as string);
    kept.push(bytes);
    keptBytes += bytes.length;
  };
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.write = (...args: unknown[]) => {
    keep(args[0]);
    return write(...args);
  };
  response.end = (...args: unknown[]) => {
    keep(args[0]);
    return end(...args);
  };
  response.once('close', () => {
    // A hijacked connection tells its own answer.
    if (!response.headersSent) return;
    const summary = `${response.statusCode} ${response.statusMessage}`;
    const head: unknown = Reflect.get(response, '_header');
    trace.answered(summary, typeof head === 'string' ? head : '', Buffer.concat(kept));
  });
};
