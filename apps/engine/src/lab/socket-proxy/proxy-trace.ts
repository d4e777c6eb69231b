/** Tells of a request at the proxy in the trace of the command that sent it: what came, what went on, what came back. */
import type { IncomingMessage } from 'node:http';
import type { Message, TraceEvent } from '../../protocol/trace/event.ts';
import {
  processId,
  requestId,
  responseId,
  spanEndedId,
  spanStartedId,
} from '../../protocol/trace/event-id.ts';
import { newSpanId, newTraceId, traceOfProcess, type SpanContext } from '../../tracing/context.ts';
import { labEmitter } from '../lab-emitter.ts';
import { processInfo } from '../process-info.ts';

const HEAD_LIMIT_BYTES = 8 * 1024;
const SECRET_HEADER = /^(?:x-registry-|authorization|proxy-authorization|cookie)/i;

type Told<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, 'traceId' | 'emitter' | 'mono'>
  : never;

/** The trace of the client at the other end of the connection, as dockerd would name it. */
const traceOf = (pid: number | null): SpanContext => {
  const client = pid === null ? null : processInfo(pid);
  return client
    ? traceOfProcess(client.pid, client.startTime)
    : { traceId: newTraceId(), spanId: newSpanId() };
};

export class ProxyTrace {
  /** What dockerd gets as `traceparent`. */
  readonly onward: SpanContext;
  readonly #context: SpanContext;
  readonly #spanId = newSpanId();
  readonly #pid: number | null;
  readonly #accept: (event: TraceEvent) => void;

  constructor(request: IncomingMessage, pid: number | null, accept: (event: TraceEvent) => void) {
    this.#pid = pid;
    this.#accept = accept;
    this.#context = traceOf(pid);
    this.onward = { traceId: this.#context.traceId, spanId: newSpanId() };
    const { method = '', url = '', rawHeaders } = request;
    this.#spanStarted(this.#spanId, this.#context.spanId, 'the socket proxy');
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] ?? '';
      lines.push(`${name}: ${SECRET_HEADER.test(name) ? '•••' : rawHeaders[at + 1]}`);
    }
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
    this.#message('request', ['docker', 'lab'], {
      id: requestId(this.#spanId),
      spanId: this.#spanId,
      cause: spanStartedId(this.#spanId),
      level: 'step',
      summary: `${method} ${url.split('?', 1)[0]}`,
      body: null,
      raw: {
        base64: head.subarray(0, HEAD_LIMIT_BYTES).toString('base64'),
        sizeBytes: head.length,
        truncated: head.length > HEAD_LIMIT_BYTES,
      },
    });
  }

  forwarded(summary: string): void {
    const { spanId } = this.onward;
    this.#spanStarted(spanId, this.#spanId, 'let through');
    this.#message('request', ['lab', 'dockerd'], {
      id: requestId(spanId),
      spanId,
      cause: requestId(this.#spanId),
      level: 'detail',
      summary,
      body: null,
      raw: null,
    });
  }

  answered(summary: string): void {
    const { spanId } = this.onward;
    this.#message('response', ['dockerd', 'lab'], {
      id: responseId(spanId),
      spanId,
      cause: requestId(spanId),
      level: 'detail',
      summary,
      body: null,
      raw: null,
    });
    this.#spanEnded(spanId);
    this.#answer(summary, null, responseId(spanId));
  }

  /** The client has gone, so nobody gets an answer. */
  abandoned(): void {
    this.#spanEnded(this.onward.spanId, requestId(this.onward.spanId));
    this.#spanEnded(this.#spanId, requestId(this.#spanId));
  }

  refused(summary: string, body: unknown): void {
    this.#answer(summary, body, requestId(this.#spanId));
  }

  #answer(summary: string, body: unknown, cause: string): void {
    this.#message('response', ['lab', 'docker'], {
      id: responseId(this.#spanId),
      spanId: this.#spanId,
      cause,
      level: 'step',
      summary,
      body,
      raw: null,
    });
    this.#spanEnded(this.#spanId);
  }

  #spanStarted(spanId: string, parentSpanId: string, name: string): void {
    this.#say({
      type: 'spanStarted',
      id: spanStartedId(spanId),
      cause:
        spanId === this.#spanId
          ? this.#pid === null
            ? null
            : processId(this.#pid, 'exec')
          : requestId(this.#spanId),
      level: 'detail',
      source: __SOURCE__,
      spanId,
      parentSpanId,
      name,
      kind: 'client',
      attributes: {},
    });
  }

  #spanEnded(spanId: string, cause = responseId(spanId)): void {
    this.#say({
      type: 'spanEnded',
      id: spanEndedId(spanId),
      cause,
      level: 'detail',
      spanId,
      status: { code: 'ok' },
      attributes: {},
    });
  }

  #message(
    direction: 'request' | 'response',
    [from, to]: readonly ['docker' | 'lab' | 'dockerd', 'docker' | 'lab' | 'dockerd'],
    fields: Pick<Message, 'id' | 'spanId' | 'cause' | 'level' | 'summary' | 'body' | 'raw'>,
  ): void {
    const pids = { docker: this.#pid, lab: process.pid, dockerd: null };
    this.#say({
      type: 'message',
      protocol: 'http',
      direction,
      from: { actor: from, pid: pids[from] },
      to: { actor: to, pid: pids[to] },
      source: __SOURCE__,
      ...fields,
    });
  }

  #say(told: Told<TraceEvent>): void {
    this.#accept({
      ...told,
      traceId: this.#context.traceId,
      mono: process.hrtime.bigint().toString(),
      emitter: labEmitter(),
    } as TraceEvent);
  }
}
