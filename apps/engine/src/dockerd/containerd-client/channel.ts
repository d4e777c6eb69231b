/**
 * This folder is the only part of dockerd that speaks to containerd.sock (containerd's gRPC API).
 * Upstream: moby daemon/internal/libcontainerd/remote/client.go, daemon/containerd.
 */
import { setTimeout } from 'node:timers/promises';
import { kindOf } from '../../protocol/errdefs.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '../../protocol/gen/containerd/health_pb.ts';
import { Namespaces } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { Version } from '../../protocol/gen/containerd/version_pb.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { createGrpcChannel, type GrpcChannel } from '../../transport/grpc-client.ts';
import type { CredentialsOfPeer } from '../../transport/unix-socket.ts';

/** containerd's namespace for Docker's containers, apart from those of `ctr` and Kubernetes. */
export const NAMESPACE = 'moby';
export const SNAPSHOTTER = 'overlayfs';

const RETRY_MS = 100;

export const connectContainerd = (options: {
  readonly socketPath: string;
  readonly tracer: Tracer;
  readonly credentialsOfPeer: CredentialsOfPeer;
}): GrpcChannel => createGrpcChannel({ ...options, peer: 'containerd', namespace: NAMESPACE });

/** Asks again and again, because there is nothing to wait on: a socket that nobody serves makes no event. */
export const waitUntilServing = async (
  channel: GrpcChannel,
  signal: AbortSignal,
): Promise<void> => {
  const health = channel.client(Health);
  for (;;) {
    const status = await health.check({}, { timeoutMs: 2000, signal }).then(
      (response) => response.status,
      () => HealthCheckResponse_ServingStatus.NOT_SERVING,
    );
    signal.throwIfAborted();
    if (status === HealthCheckResponse_ServingStatus.SERVING) return;
    await setTimeout(RETRY_MS, undefined, { signal });
  }
};

export const ensureNamespace = async (channel: GrpcChannel): Promise<void> => {
  const namespaces = channel.client(Namespaces);
  try {
    await namespaces.get({ name: NAMESPACE });
  } catch (error) {
    if (kindOf(error) !== 'not_found') throw error;
    await namespaces.create({ namespace: { name: NAMESPACE } });
  }
};

export const containerdVersion = async (
  channel: GrpcChannel,
): Promise<{ readonly version: string; readonly revision: string }> => {
  const { version, revision } = await channel.client(Version).version({}, { timeoutMs: 2000 });
  return { version, revision };
};
