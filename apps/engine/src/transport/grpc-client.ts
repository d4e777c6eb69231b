/**
 * A gRPC channel over a unix socket: what dockerd talks to containerd with.
 *
 * The connection is made when the first call needs it and again after it was lost; a call that meets a dead server
 * fails with `unavailable` and the words of Go's client. Nothing is retried here.
 */
import {
  create,
  toBinary,
  type DescMethod,
  type DescService,
  type Message,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { EngineError } from '../protocol/errdefs.ts';
import type { Actor } from '../protocol/trace/event.ts';
import { withContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { CallBudget } from './call-budget.ts';
import { startBidiCall, startUnaryCall, type CallSetup } from './grpc-call.ts';
import { formatTimeout, NAMESPACE_KEY, USER_AGENT } from './grpc-metadata.ts';
import { fullName } from './rpc-level.ts';
import { startClientCall, tellMessage } from './rpc-trace.ts';
import type { CallOptions, Client } from './service.ts';
import { pidOfPeer, type CredentialsOfPeer } from './unix-socket.ts';

export interface GrpcChannelOptions {
  readonly socketPath: string;
  readonly tracer?: Tracer;
  /** Who listens there, for the trace. */
  readonly peer: Actor;
  /** containerd's namespace for all calls that do not name another. */
  readonly namespace?: string;
  readonly credentialsOfPeer?: CredentialsOfPeer;
  /** Told once for each connection that is lost, and not closed by us. */
  readonly onDisconnect?: () => void;
}

interface Connection {
  readonly session: ClientHttp2Session;
  readonly peerPid: number | null;
  readonly closed: Promise<void>;
}

const WINDOW_BYTES = 4 * 1024 * 1024;
/** Node's default of 10 MB would end the connection in the middle of one long message. */
const SESSION_MEMORY_MB = 256;
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ECONNREFUSED: 'connection refused',
  EACCES: 'permission denied',
};

export class GrpcChannel {
  readonly #options: GrpcChannelOptions;
  #connection: Promise<Connection> | null = null;
  #closed = false;
  readonly #budget = new CallBudget();

  constructor(options: GrpcChannelOptions) {
    this.#options = options;
  }

  client<M extends GenServiceMethods>(service: GenService<M>): Client<M> {
    const methods = (service as unknown as DescService).methods.map((method) => [
      method.localName,
      this.#caller(method),
    ]);
    return Object.fromEntries(methods) as Client<M>;
  }

  /** Connects if need be. Rejects with `unavailable` while nobody listens. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /** Resolves when there is no connection: the server has hung up, or there never was one. */
  async disconnected(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.closed;
  }

  close(): void {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = null;
    // A connection that was never made needs no closing.
    void connection?.then(({ session }) => session.close()).catch(() => undefined);
  }

  #caller(method: DescMethod): unknown {
    const encode = (message: unknown) =>
      toBinary(method.input, create(method.input, message as Message));
    switch (method.methodKind) {
      case 'unary':
        return (request: unknown, options: CallOptions = {}) => {
          const message = create(method.input, request as Message);
          return startUnaryCall(
            this.#setup(method, options),
            message,
            toBinary(method.input, message),
          );
        };
      case 'server_streaming':
        return (request: unknown, options: CallOptions = {}) => {
          const message = create(method.input, request as Message);
          const setup = this.#setup(method, options);
          const told = setup.call
            ? { told: tellMessage(method.input, message, encode(message)) }
            : {};
          return startBidiCall({ ...setup, ...told }, one(message), encode);
        };
      case 'bidi_streaming':
        return (requests: AsyncIterable<unknown>, options: CallOptions = {}) =>
          startBidiCall(this.#setup(method, options), requests, encode);
      case 'client_streaming':
        return async (requests: AsyncIterable<unknown>, options: CallOptions = {}) => {
          for await (const response of startBidiCall(
            this.#setup(method, options),
            requests,
            encode,
          ))
            return response;
          throw new EngineError('internal', `${fullName(method)}: no response`);
        };
    }
  }

  #setup(method: DescMethod, options: CallOptions): CallSetup {
    const { tracer, peer, namespace } = this.#options;
    const call = startClientCall(tracer, {
      protocol: 'grpc',
      method,
      peer: { actor: peer, pid: null },
      options,
    });
    const headers: OutgoingHttpHeaders = {
      ':method': 'POST',
      ':path': `/${fullName(method)}`,
      ':scheme': 'http',
      ':authority': 'localhost',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': USER_AGENT,
      ...(namespace ? { [NAMESPACE_KEY]: namespace } : {}),
      ...options.metadata,
      ...(call ? { traceparent: call.traceparent } : {}),
      ...(options.timeoutMs === undefined
        ? {}
        : { 'grpc-timeout': formatTimeout(options.timeoutMs) }),
    };
    return {
      method,
      options,
      call,
      budget: this.#budget,
      open: async () => {
        const { session, peerPid } = await this.#connected();
        return {
          stream: session.request(headers, { endStream: false }),
          peer: { actor: peer, pid: peerPid },
        };
      },
    };
  }

  #connected(): Promise<Connection> {
    if (this.#closed)
      return Promise.reject(
        new EngineError('unavailable', 'grpc: the client connection is closing'),
      );
    // Outside of any span: the connection serves many calls, and must belong to the trace of none.
    if (!this.#connection) {
      const lost = () => {
        if (this.#connection === connection) this.#connection = null;
      };
      const connection = withContext(undefined, () => this.#dial(lost));
      this.#connection = connection;
      connection.catch(lost);
    }
    return this.#connection;
  }

  async #dial(lost: () => void): Promise<Connection> {
    const socket = await dial(this.#options.socketPath);
    const peerPid = pidOfPeer(socket, this.#options.credentialsOfPeer);
    const session = connectHttp2('http://localhost', {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    });
    session.setLocalWindowSize(WINDOW_BYTES);
    session.on('error', lost);
    session.on('goaway', lost);
    session.on('close', lost);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        resolve();
        if (!this.#closed) this.#options.onDisconnect?.();
      });
    });
    return { session, peerPid, closed };
  }
}

export const createGrpcChannel = (options: GrpcChannelOptions): GrpcChannel =>
  new GrpcChannel(options);

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

const dial = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    const onError = (error: NodeJS.ErrnoException) => {
      const reason = CONNECT_ERRORS[error.code ?? ''] ?? error.message;
      reject(
        new EngineError(
          'unavailable',
          `connection error: desc = "transport: Error while dialing: dial unix ${path}: connect: ${reason}"`,
        ),
      );
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
