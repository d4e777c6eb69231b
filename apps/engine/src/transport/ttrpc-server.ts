/**
 * A ttrpc server: what a shim listens with, and what containerd takes the shims' events with.
 * ttrpc is gRPC for processes that must stay small: the same .proto services, no HTTP/2.
 * Calls are unary, as all of the Task service's are.
 */
import {
  create,
  fromBinary,
  toBinary,
  type DescMethod,
  type DescService,
  type Message,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import { createServer, type Server, type Socket } from 'node:net';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { RequestSchema, ResponseSchema, type Request } from '../protocol/gen/task/ttrpc_pb.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { endWithError, startServedCall } from './rpc-trace.ts';
import { fullName } from './rpc-level.ts';
import type { CallContext, Handlers } from './service.ts';
import { OK, RESOURCE_EXHAUSTED, statusOf } from './status-code.ts';
import {
  encodeTtrpcFrame,
  MAX_FRAME_BYTES,
  REQUEST,
  RESPONSE,
  TtrpcFrameReader,
  type Frame,
} from './ttrpc-frame.ts';
import { listenOnSocket } from './unix-socket.ts';

export const TTRPC_NAMESPACE_KEY = 'containerd-namespace-ttrpc';

/** A caller that has this many calls open is read again when some are answered. */
const OPEN_CALLS_LIMIT = 1024;
const UNSENT_LIMIT_BYTES = 8 * 1024 * 1024;
/** setTimeout knows no longer wait. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

type AnyHandler = (request: Message, call: CallContext) => Promise<unknown>;
interface Registered {
  readonly method: DescMethod;
  readonly handler: AnyHandler | undefined;
  readonly source: string | undefined;
}

export interface TtrpcServerOptions {
  readonly tracer?: Tracer;
}

export class TtrpcServer {
  readonly #server: Server;
  readonly #tracer: Tracer | undefined;
  readonly #methods = new Map<string, Registered>();
  readonly #services = new Set<string>();
  readonly #sockets = new Set<Socket>();

  constructor({ tracer }: TtrpcServerOptions) {
    this.#tracer = tracer;
    this.#server = createServer((socket) => this.#accept(socket));
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
      this.#methods.set(fullName(method), {
        method,
        handler:
          typeof handler === 'function' && method.methodKind === 'unary'
            ? (handler as AnyHandler)
            : undefined,
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
    return this.#sockets.size;
  }

  /** Takes no caller from now on. Postcondition: the path is free for another server. */
  stopListening(): void {
    // Node unlinks the path before it returns.
    this.#server.close();
  }

  /** Ends each connection behind the answers that are on their way. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const connection = new Connection(socket, (request, signal) => this.#call(request, signal));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      connection.closed();
    });
  }

  async #call(request: Request, signal: AbortSignal): Promise<Uint8Array> {
    const registered = this.#methods.get(`${request.service}/${request.method}`);
    if (!registered?.handler)
      throw new EngineError(
        'not_implemented',
        this.#services.has(request.service)
          ? `method ${request.method}`
          : `service ${request.service}`,
      );
    const { method, handler, source } = registered;
    const metadata = new Map(request.metadata.map(({ key, value }) => [key.toLowerCase(), value]));
    const served = startServedCall(this.#tracer, {
      protocol: 'ttrpc',
      method,
      traceparent: metadata.get('traceparent'),
      source,
    });
    const call: CallContext = {
      namespace: metadata.get(TTRPC_NAMESPACE_KEY) ?? '',
      metadata,
      signal,
    };
    try {
      const input = decodeRequest(method, request.payload);
      const output = await served.run(() => handler(input, call));
      const bytes = toBinary(method.output, create(method.output, output as Message));
      served.span?.end();
      return bytes;
    } catch (error) {
      endWithError(served.span, error, statusOf(error).code);
      throw error;
    }
  }
}

export const createTtrpcServer = (options: TtrpcServerOptions = {}): TtrpcServer =>
  new TtrpcServer(options);

const decodeRequest = (method: DescMethod, payload: Uint8Array): Message => {
  try {
    return fromBinary(method.input, payload);
  } catch (error) {
    throw new EngineError(
      'invalid_argument',
      `ttrpc: error unmarshalling payload: ${messageOf(error)}`,
    );
  }
};

type Answerer = (request: Request, signal: AbortSignal) => Promise<Uint8Array>;

/** One caller: cuts frames, keeps count of its open calls, and answers in whatever order they are done. */
class Connection {
  readonly #socket: Socket;
  readonly #answerer: Answerer;
  readonly #reader = new TtrpcFrameReader();
  readonly #open = new Map<number, AbortController>();

  constructor(socket: Socket, answerer: Answerer) {
    this.#socket = socket;
    this.#answerer = answerer;
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame; frame = this.#reader.next())
        this.#receive(frame);
      this.#pace();
    });
    socket.on('drain', () => this.#pace());
  }

  closed(): void {
    for (const call of this.#open.values())
      call.abort(new EngineError('cancelled', 'context canceled'));
  }

  #receive({ streamId, type, payload }: Frame): void {
    if (type !== REQUEST) return; // No call of ours streams, so data belongs to nothing.
    if (streamId % 2 === 0 || this.#open.has(streamId)) {
      this.#respond(
        streamId,
        new EngineError(
          'invalid_argument',
          `StreamID must be odd and new for client initiated streams`,
        ),
      );
      return;
    }
    if (!payload) {
      this.#respond(streamId, undefined, {
        code: RESOURCE_EXHAUSTED,
        message: `message length exceed maximum message size of ${MAX_FRAME_BYTES}`,
      });
      return;
    }
    void this.#answer(streamId, payload);
  }

  async #answer(streamId: number, payload: Uint8Array): Promise<void> {
    const controller = new AbortController();
    this.#open.set(streamId, controller);
    let timer: NodeJS.Timeout | undefined;
    try {
      const request = parseRequest(payload);
      const timeoutMs = Number(request.timeoutNano / 1_000_000n);
      const late = () => controller.abort(new EngineError('deadline', 'context deadline exceeded'));
      if (request.timeoutNano > 0n)
        timer = setTimeout(late, Math.min(timeoutMs, LONGEST_TIMEOUT_MS));
      this.#respond(
        streamId,
        await this.#unlessAborted(this.#answerer(request, controller.signal), controller.signal),
      );
    } catch (error) {
      this.#respond(streamId, error);
    } finally {
      clearTimeout(timer);
      this.#open.delete(streamId);
      this.#pace();
    }
  }

  #unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      work.then(resolve, reject);
    });
  }

  #respond(
    streamId: number,
    outcome: unknown,
    status?: { readonly code: number; readonly message: string },
  ): void {
    if (this.#socket.destroyed) return;
    const response =
      outcome instanceof Uint8Array
        ? { status: { code: OK }, payload: outcome }
        : { status: status ?? statusOf(outcome) };
    let bytes = toBinary(ResponseSchema, create(ResponseSchema, response));
    if (bytes.length > MAX_FRAME_BYTES)
      bytes = toBinary(
        ResponseSchema,
        create(ResponseSchema, {
          status: {
            code: RESOURCE_EXHAUSTED,
            message: 'message length exceed maximum message size',
          },
        }),
      );
    this.#socket.write(encodeTtrpcFrame(streamId, RESPONSE, bytes));
  }

  /** A caller that does not read its answers, or asks without end, is not read either. */
  #pace(): void {
    const full =
      this.#open.size >= OPEN_CALLS_LIMIT || this.#socket.writableLength > UNSENT_LIMIT_BYTES;
    if (full) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}

const parseRequest = (payload: Uint8Array): Request => {
  try {
    return fromBinary(RequestSchema, payload);
  } catch (error) {
    throw new EngineError(
      'invalid_argument',
      `ttrpc: error unmarshalling request: ${messageOf(error)}`,
    );
  }
};
