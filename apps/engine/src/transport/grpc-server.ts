/**
 * A gRPC server on a unix socket, over node:http2: what containerd listens with.
 * One HTTP/2 stream is one call: headers, messages, and at the end the status in trailers.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { EngineError } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { ClientProcess, ClientProcesses } from './client-processes.ts';
import {
  answer,
  answerBare,
  answerStatus,
  callSignal,
  traceresponse,
  type AnyHandler,
} from './grpc-answer.ts';
import { MessageTooLarge } from './grpc-frame.ts';
import { KEEPALIVE, keepAlive, type Keepalive } from './grpc-keepalive.ts';
import { metadataOf, NAMESPACE_KEY, parseTimeout, USER_AGENT } from './grpc-metadata.ts';
import { observeCall, type ObservedCall } from './observed-call.ts';
import { endWithError, startServedCall } from './rpc-trace.ts';
import { fullName } from './rpc-level.ts';
import type { CallContext, Handlers } from './service.ts';
import { RESOURCE_EXHAUSTED, statusOf } from './status-code.ts';
import { listenOnSocket } from './unix-socket.ts';

export interface GrpcServerOptions {
  /** Default: that of grpc-go. */
  readonly keepalive?: Keepalive;
  readonly tracer?: Tracer;
  /** Tells of callers that send no `traceparent`, by their process. */
  readonly clients?: ClientProcesses;
}

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
  readonly #clients: ClientProcesses | undefined;
  readonly #callers = new WeakMap<object, ClientProcess>();

  constructor(options: GrpcServerOptions) {
    this.#tracer = options.tracer;
    this.#clients = options.clients;
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: WINDOW_BYTES },
    });
    this.#server.on('session', (session) => {
      session.setLocalWindowSize(WINDOW_BYTES);
      // Asked at once: later it may be gone.
      const caller = this.#clients?.identify(session.socket);
      if (caller) this.#callers.set(session, caller);
      this.#sessions.add(session);
      const stop = keepAlive(session, options.keepalive ?? KEEPALIVE);
      session.on('close', () => {
        stop();
        this.#sessions.delete(session);
      });
      // A peer that breaks the protocol loses its own connection and nothing else.
      session.on('error', () => session.destroy());
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      // What is left to fail is a stream that went away in the middle of its answer.
      this.#serve(stream, headers).catch(() => stream.destroy());
    });
  }

  /** Methods without a handler answer Unimplemented. `source`: write `__SOURCE__` where the handlers are. */
  add<M extends GenServiceMethods>(
    service: GenService<M>,
    handlers: Handlers<M>,
    source?: string,
  ): this {
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

  /** How many callers are connected. */
  get connections(): number {
    return this.#sessions.size;
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
    const { method, handler, source } = this.#methods.get(String(headers[':path'])) ?? {};
    if (!method || !handler) {
      answerStatus(stream, statusOf(this.#unimplemented(String(headers[':path']))));
      return;
    }
    const metadata = metadataOf(headers);
    const observed = this.#observe(stream, metadata, method, source);
    const traceparent = observed?.traceparent ?? metadata.get('traceparent');
    const served = startServedCall(this.#tracer, { protocol: 'grpc', method, traceparent, source });
    const { signal, settle } = callSignal(stream, parseTimeout(headers['grpc-timeout']));
    const call: CallContext = { namespace: metadata.get(NAMESPACE_KEY) ?? '', metadata, signal };
    try {
      await served.run(() => answer({ stream, method, handler, call, served, observed }));
    } catch (error) {
      const status = statusOf(signal.aborted ? signal.reason : error);
      const code = error instanceof MessageTooLarge ? RESOURCE_EXHAUSTED : status.code;
      endWithError(served.span, error, code);
      if (stream.destroyed) observed?.abandoned();
      else observed?.failed(error, code, served.span?.context.spanId);
      answerStatus(stream, { code, message: status.message }, traceresponse(served));
    } finally {
      settle();
    }
  }

  /** Our own clients tell their calls themselves, or they are nobody's story. */
  #observe(
    stream: ServerHttp2Stream,
    metadata: ReadonlyMap<string, string>,
    method: DescMethod,
    source: string | undefined,
  ): ObservedCall | undefined {
    const arrivedAt = process.hrtime.bigint();
    const client = stream.session && this.#callers.get(stream.session);
    const isOurs = metadata.get('user-agent') === USER_AGENT;
    if (!client || !this.#tracer || !this.#clients || isOurs || metadata.has('traceparent'))
      return undefined;
    const { tracer, clients } = { tracer: this.#tracer, clients: this.#clients };
    return observeCall({ tracer, clients, client, method, arrivedAt, source });
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

export const createGrpcServer = (options: GrpcServerOptions = {}): GrpcServer =>
  new GrpcServer(options);
