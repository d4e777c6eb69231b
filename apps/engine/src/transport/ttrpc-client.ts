/**
 * A ttrpc client: what containerd talks to a shim with, and what a shim forwards its events with.
 * Connects when the first call needs it and again after the connection was lost; nothing is retried here.
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
import { connect, type Socket } from 'node:net';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { RequestSchema, ResponseSchema } from '../protocol/gen/task/ttrpc_pb.ts';
import type { Actor } from '../protocol/trace/event.ts';
import { withContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { NAMESPACE_KEY } from './grpc-metadata.ts';
import { startClientCall, tellMessage } from './rpc-trace.ts';
import type { CallOptions, Client } from './service.ts';
import { errorOf, OK, statusOf } from './status-code.ts';
import {
  encodeTtrpcFrame,
  MAX_FRAME_BYTES,
  REQUEST,
  RESPONSE,
  TtrpcFrameReader,
  type Frame,
} from './ttrpc-frame.ts';
import { TTRPC_NAMESPACE_KEY } from './ttrpc-server.ts';
import { pidOfPeer, type CredentialsOfPeer } from './unix-socket.ts';

export interface TtrpcChannelOptions {
  readonly socketPath: string;
  readonly tracer?: Tracer;
  /** Who listens there, for the trace. */
  readonly peer: Actor;
  /** containerd's namespace for all calls that do not name another. */
  readonly namespace?: string;
  readonly credentialsOfPeer?: CredentialsOfPeer;
  /** Told once for each connection that is lost: how containerd learns that a shim has died. */
  readonly onDisconnect?: () => void;
}

interface Pending {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: EngineError) => void;
}

export class TtrpcChannel {
  readonly #options: TtrpcChannelOptions;
  #connection: Promise<Connection> | null = null;
  #closed = false;

  constructor(options: TtrpcChannelOptions) {
    this.#options = options;
  }

  client<M extends GenServiceMethods>(service: GenService<M>): Client<M> {
    const methods = (service as unknown as DescService).methods.map((method) => [
      method.localName,
      (request: unknown, options: CallOptions = {}) => this.#call(method, request, options),
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
    // A connection that was never made needs no closing.
    void this.#connection?.then((connection) => connection.close()).catch(() => undefined);
  }

  async #call(method: DescMethod, init: unknown, options: CallOptions): Promise<Message> {
    const { tracer, peer } = this.#options;
    const told = startClientCall(tracer, {
      protocol: 'ttrpc',
      method,
      peer: { actor: peer, pid: null },
      options,
    });
    try {
      const message = create(method.input, init as Message);
      const payload = toBinary(method.input, message);
      const connection = await this.#connected();
      told?.requested(
        { actor: peer, pid: connection.peerPid },
        tellMessage(method.input, message, payload),
      );
      const answer = await connection.call(
        this.#encode(method, payload, options, told?.traceparent),
        options,
      );
      const response = fromBinary(method.output, answer);
      told?.answered(tellMessage(method.output, response, answer));
      return response;
    } catch (error) {
      told?.failed(error, statusOf(error).code);
      throw error;
    }
  }

  #encode(
    method: DescMethod,
    payload: Uint8Array,
    options: CallOptions,
    traceparent: string | undefined,
  ): Uint8Array {
    const { [NAMESPACE_KEY]: namespace = this.#options.namespace, ...others } =
      options.metadata ?? {};
    const metadata = {
      ...(namespace ? { [TTRPC_NAMESPACE_KEY]: namespace } : {}),
      ...others,
      ...(traceparent ? { traceparent } : {}),
    };
    return toBinary(
      RequestSchema,
      create(RequestSchema, {
        service: method.parent.typeName,
        method: method.name,
        payload,
        timeoutNano: BigInt(Math.ceil((options.timeoutMs ?? 0) * 1e6)),
        metadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      }),
    );
  }

  #connected(): Promise<Connection> {
    if (this.#closed) return Promise.reject(new EngineError('unavailable', 'ttrpc: closed'));
    if (!this.#connection) {
      const lost = () => {
        if (this.#connection === connection) this.#connection = null;
      };
      // Outside of any span: the connection serves many calls, and must belong to the trace of none.
      const connection = withContext(undefined, () => this.#dial(lost));
      this.#connection = connection;
      connection.catch(lost);
    }
    return this.#connection;
  }

  #dial(lost: () => void): Promise<Connection> {
    const { socketPath, credentialsOfPeer, onDisconnect } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath);
      const onError = (error: Error) =>
        reject(new EngineError('unavailable', `dial unix ${socketPath}: ${error.message}`));
      socket.once('error', onError);
      socket.once('connect', () => {
        socket.off('error', onError);
        socket.on('error', () => socket.destroy());
        socket.once('close', () => {
          lost();
          if (!this.#closed) onDisconnect?.();
        });
        resolve(new Connection(socket, pidOfPeer(socket, credentialsOfPeer)));
      });
    });
  }
}

export const createTtrpcChannel = (options: TtrpcChannelOptions): TtrpcChannel =>
  new TtrpcChannel(options);

/** One connection and the calls that wait on it. Streams of a client are odd and count upwards. */
class Connection {
  readonly peerPid: number | null;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new TtrpcFrameReader();
  readonly #pending = new Map<number, Pending>();
  #nextStream = 1;

  constructor(socket: Socket, peerPid: number | null) {
    this.#socket = socket;
    this.peerPid = peerPid;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame; frame = this.#reader.next())
        this.#receive(frame);
    });
    socket.on('close', () => {
      const error = new EngineError('unavailable', 'ttrpc: closed');
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }

  close(): void {
    this.#socket.end();
  }

  call(request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    if (request.length > MAX_FRAME_BYTES)
      return Promise.reject(
        new EngineError(
          'invalid_argument',
          `message length ${request.length} exceed maximum message size of ${MAX_FRAME_BYTES}`,
        ),
      );
    if (this.#socket.destroyed)
      return Promise.reject(new EngineError('unavailable', 'ttrpc: closed'));
    const streamId = this.#nextStream;
    this.#nextStream += 2;
    return new Promise((resolve, reject) => {
      const give = (kind: 'cancelled' | 'deadline', message: string) => () =>
        this.#pending.get(streamId)?.reject(new EngineError(kind, message));
      const onAbort = give('cancelled', 'context canceled');
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : setTimeout(give('deadline', 'context deadline exceeded'), options.timeoutMs);
      const settle = () => {
        this.#pending.delete(streamId);
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
      };
      this.#pending.set(streamId, {
        resolve: (payload) => {
          settle();
          resolve(payload);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      if (options.signal?.aborted) onAbort();
      else options.signal?.addEventListener('abort', onAbort, { once: true });
      if (this.#pending.has(streamId))
        this.#socket.write(encodeTtrpcFrame(streamId, REQUEST, request));
    });
  }

  #receive({ streamId, type, payload }: Frame): void {
    const pending = this.#pending.get(streamId);
    // Nobody waits any more, or a server that says what no unary call can hear.
    if (!pending || type !== RESPONSE) return;
    if (!payload) {
      pending.reject(new EngineError('unknown', 'ttrpc: response too large'));
      return;
    }
    try {
      const response = fromBinary(ResponseSchema, payload);
      const code = response.status?.code ?? OK;
      if (code === OK) pending.resolve(response.payload);
      else pending.reject(errorOf(code, response.status?.message ?? ''));
    } catch (error) {
      pending.reject(
        new EngineError('unknown', `ttrpc: error unmarshalling response: ${messageOf(error)}`),
      );
    }
  }
}
