/**
 * A gRPC server on a unix socket, over node:http2: what containerd listens with.
 * One HTTP/2 stream is one call: headers, messages, and at the end the status in trailers.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { create, fromBinary, toBinary, type DescMethod, type DescService, type Message } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import { constants, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { EngineError } from '../protocol/errdefs.ts';
import { formatTraceparent } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { encodeFrame, MessageTooLarge } from './grpc-frame.ts';
import { encodeMessage, metadataOf, NAMESPACE_KEY, parseTimeout, TRACERESPONSE_KEY } from './grpc-metadata.ts';
import { readMessages, writeFrame } from './grpc-stream.ts';
import { endWithError, startServedCall, type ServedCall } from './rpc-trace.ts';
import { fullName } from './rpc-level.ts';
import type { CallContext, Handlers } from './service.ts';
import { OK, RESOURCE_EXHAUSTED, statusOf } from './status-code.ts';
import { listenOnSocket } from './unix-socket.ts';

export interface GrpcServerOptions {
  readonly tracer?: Tracer;
}

/** The handlers of any service, after their types have done their work. */
type AnyHandler = (input: unknown, call: CallContext) => unknown;
interface Registered {
  readonly method: DescMethod;
  readonly handler: AnyHandler | undefined;
  readonly source: string | undefined;
}

/** Large enough that a 16 MiB message does not wait for window updates at each 64 KiB. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Node's default of 10 MB would end the connection in the middle of one long message. */
const SESSION_MEMORY_MB = 256;

export class GrpcServer {
  readonly #server: Http2Server;
  readonly #tracer: Tracer | undefined;
  readonly #methods = new Map<string, Registered>();
  readonly #services = new Set<string>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: GrpcServerOptions) {
    this.#tracer = options.tracer;
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: WINDOW_BYTES },
    });
    this.#server.on('session', (session) => {
      session.setLocalWindowSize(WINDOW_BYTES);
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      // A peer that breaks the protocol loses its own connection and nothing else.
      session.on('error', () => session.destroy());
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      void this.#serve(stream, headers);
    });
  }

  /** Methods without a handler answer Unimplemented. `source`: write `__SOURCE__` where the handlers are. */
  add<M extends GenServiceMethods>(service: GenService<M>, handlers: Handlers<M>, source?: string): this {
    this.#services.add(service.typeName);
    const untyped: Readonly<Record<string, unknown>> = handlers;
    for (const method of (service as unknown as DescService).methods) {
      const handler = untyped[method.localName];
      this.#methods.set(`/${fullName(method)}`, {
        method,
        handler: typeof handler === 'function' ? (handler as AnyHandler) : undefined,
        source,
      });
    }
    return this;
  }

  listen(socketPath: string, mode?: number): Promise<void> {
    return listenOnSocket(this.#server, socketPath, mode);
  }

  /** Takes no new calls, lets the running ones finish for a moment, then hangs up. */
  async close(graceMs = 250): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) session.close();
    const hangUp = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await closed;
    clearTimeout(hangUp);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const refusal = this.#refusalOf(headers);
    if (refusal) {
      answerBare(stream, refusal);
      return;
    }
    const registered = this.#methods.get(String(headers[':path']));
    if (!registered?.handler) {
      answerStatus(stream, statusOf(this.#unimplemented(String(headers[':path']))));
      return;
    }
    const metadata = metadataOf(headers);
    const served = startServedCall(this.#tracer, 'grpc', registered.method, metadata.get('traceparent'), registered.source);
    const { signal, settle } = callSignal(stream, parseTimeout(headers['grpc-timeout']));
    const call: CallContext = { namespace: metadata.get(NAMESPACE_KEY) ?? '', metadata, signal };
    try {
      await served.run(() => answer(stream, registered.method, registered.handler as AnyHandler, call, served));
    } catch (error) {
      const status = statusOf(signal.aborted ? signal.reason : error);
      const code = error instanceof MessageTooLarge ? RESOURCE_EXHAUSTED : status.code;
      endWithError(served.span, error, code);
      answerStatus(stream, { code, message: status.message }, traceresponse(served));
    } finally {
      settle();
    }
  }

  /** HTTP statuses for what is not gRPC at all; a gRPC peer never sees them. */
  #refusalOf(headers: IncomingHttpHeaders): number | undefined {
    if (headers[':method'] !== 'POST') return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
    if (!String(headers['content-type']).startsWith('application/grpc'))
      return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
    return undefined;
  }

  #unimplemented(path: string): EngineError {
    const [, service = '', method = ''] = path.split('/');
    return new EngineError(
      'not_implemented',
      this.#services.has(service)
        ? `unknown method ${method} for service ${service}`
        : `unknown service ${service}`,
    );
  }
}

export const createGrpcServer = (options: GrpcServerOptions = {}): GrpcServer => new GrpcServer(options);

const traceresponse = (served: ServedCall): Record<string, string> =>
  served.span ? { [TRACERESPONSE_KEY]: formatTraceparent(served.span.context) } : {};

/** Aborted when the caller resets the stream or its deadline passes. */
const callSignal = (stream: ServerHttp2Stream, timeoutMs: number | undefined) => {
  const controller = new AbortController();
  const onClose = () => controller.abort(new EngineError('cancelled', 'context canceled'));
  stream.once('close', onClose);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => controller.abort(new EngineError('deadline', 'context deadline exceeded')), timeoutMs);
  const settle = () => {
    clearTimeout(timer);
    stream.off('close', onClose);
  };
  return { signal: controller.signal, settle };
};

/** Rejects as soon as the caller is gone, whatever the handler is waiting for. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) {
    work.catch(() => undefined);
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
};

const answer = async (
  stream: ServerHttp2Stream,
  method: DescMethod,
  handler: AnyHandler,
  call: CallContext,
  served: ServedCall,
): Promise<void> => {
  const requests = readMessages(stream, method.input);
  const streamsIn = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const streamsOut = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const input = streamsIn ? requests : await untilAborted(onlyMessage(requests, method), call.signal);
  // Read to its end, or the stream would never close.
  if (!streamsIn) stream.resume();
  // Encoded before the headers go out: a handler's mistake still becomes a status of its own.
  const encode = (output: unknown) =>
    encodeFrame(toBinary(method.output, create(method.output, output as Message)));
  if (!streamsOut) {
    const frame = encode(await untilAborted(Promise.resolve(handler(input, call)), call.signal));
    startAnswer(stream, served);
    served.span?.end();
    stream.end(frame);
    return;
  }
  startAnswer(stream, served);
  const iterator = (handler(input, call) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const item = await untilAborted(iterator.next(), call.signal);
      if (item.done) break;
      await untilAborted(writeFrame(stream, encode(item.value)), call.signal);
    }
  } finally {
    // Not awaited: the generator may be in the middle of a wait that only `call.signal` ends.
    void iterator.return?.(undefined).catch(() => undefined);
  }
  served.span?.end();
  stream.end();
};

const onlyMessage = async (requests: AsyncIterable<Message>, method: DescMethod): Promise<Message> => {
  for await (const message of requests) return message;
  // Not even an empty message: Go's server treats it as one.
  return fromBinary(method.input, new Uint8Array());
};

/** Headers at once, the status later in the trailers. */
const startAnswer = (stream: ServerHttp2Stream, served: ServedCall): void => {
  if (stream.destroyed || stream.headersSent) return;
  stream.on('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers({ 'grpc-status': String(OK), ...traceresponse(served) });
  });
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
};

const answerBare = (stream: ServerHttp2Stream, status: number): void => {
  if (stream.destroyed) return;
  stream.respond({ ':status': status }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
};

const answerStatus = (
  stream: ServerHttp2Stream,
  status: { readonly code: number; readonly message: string },
  extra: Record<string, string> = {},
): void => {
  if (stream.destroyed || stream.closed) return;
  const trailers = { 'grpc-status': String(status.code), 'grpc-message': encodeMessage(status.message), ...extra };
  if (stream.headersSent) {
    stream.removeAllListeners('wantTrailers');
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end();
    return;
  }
  // "Trailers-only": one block of headers is the whole answer.
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
  // What the caller still sends is not read any more.
  stream.resume();
};
