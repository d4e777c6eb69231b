/** containerd's end of a shim's socket: the Task API over ttrpc or, for shims that say so, gRPC. Upstream: containerd core/runtime/v2/bridge.go. */
import { Task as TaskV2 } from '../../protocol/gen/task/shim-v2_pb.ts';
import { Task as TaskV3 } from '../../protocol/gen/task/shim_pb.ts';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Client } from '../../transport/service.ts';
import { createGrpcChannel } from '../../transport/grpc-client.ts';
import { createTtrpcChannel } from '../../transport/ttrpc-client.ts';
import type { CredentialsOfPeer } from '../../transport/unix-socket.ts';
import { socketPathOf, type Bootstrap } from './shim-binary.ts';

type ClientOf<S> = S extends GenService<infer M> ? Client<M> : never;
/** The messages of both versions are the same; only the service's name differs. */
export type TaskCalls = ClientOf<typeof TaskV3>;

export interface TaskClient {
  readonly calls: TaskCalls;
  /** Rejects when nobody listens: the shim is dead. */
  connect(): Promise<void>;
  /** Resolves when the shim has hung up. */
  disconnected(): Promise<void>;
  /** Hangs up; not reported as a disconnection. */
  close(): void;
}

export interface TaskClientOptions {
  readonly bootstrap: Bootstrap;
  readonly namespace: string;
  readonly tracer: Tracer;
  readonly credentialsOfPeer?: CredentialsOfPeer;
  /** The shim has let go: it is dead. */
  readonly onDisconnect: () => void;
}

export const connectTaskClient = ({ bootstrap, ...options }: TaskClientOptions): TaskClient => {
  const place = { ...options, socketPath: socketPathOf(bootstrap), peer: 'shim' } as const;
  const channel =
    bootstrap.protocol === 'grpc' ? createGrpcChannel(place) : createTtrpcChannel(place);
  const calls: TaskCalls = bootstrap.version >= 3 ? channel.client(TaskV3) : channel.client(TaskV2);
  return {
    calls,
    connect: () => channel.connect(),
    disconnected: () => channel.disconnected(),
    close: () => channel.close(),
  };
};
