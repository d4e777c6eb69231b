/**
 * This folder is the only part of dockerd that speaks to containerd.sock (containerd's gRPC API).
 * Upstream: moby daemon/internal/libcontainerd/remote/client.go, daemon/containerd.
 */
import { setTimeout } from 'node:timers/promises';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '../../protocol/gen/containerd/health_pb.ts';
import { Introspection } from '../../protocol/gen/containerd/introspection_pb.ts';
import { Namespaces } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { Version } from '../../protocol/gen/containerd/version_pb.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { createGrpcChannel, type GrpcChannel } from '../../transport/grpc-client.ts';
import type { CredentialsOfPeer } from '../../transport/unix-socket.ts';

/** containerd's namespace for Docker's containers, apart from those of `ctr` and Kubernetes. */
export const NAMESPACE = 'moby';

export interface Storage {
  /** Where the layers are. Known once containerd has answered. */
  snapshotter: string;
  /** Layers that are being unpacked now, by the name of their snapshot. */
  readonly unpacking: Map<string, Promise<void>>;
}

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

const SNAPSHOTTER_PLUGIN = 'io.containerd.snapshotter.v1';

/** The wanted one; else overlayfs, or copies where the kernel or the file system has none. */
export const chooseSnapshotter = async (
  channel: GrpcChannel,
  wanted: string | null,
): Promise<string> => {
  const { plugins } = await channel
    .client(Introspection)
    .plugins({ filters: [`type==${SNAPSHOTTER_PLUGIN}`] });
  const usable = new Set(plugins.filter(({ initErr }) => !initErr).map(({ id }) => id));
  if (wanted !== null && !usable.has(wanted))
    throw new EngineError(
      'unavailable',
      `error initializing storage driver: containerd offers no snapshotter "${wanted}" here, but ${[...usable].join(' and ')}`,
    );
  const chosen = wanted ?? ['overlayfs', 'native'].find((name) => usable.has(name));
  if (chosen === undefined)
    throw new EngineError(
      'unavailable',
      'containerd offers neither the overlayfs nor the native snapshotter: see `ctr plugins ls`',
    );
  return chosen;
};

export const containerdVersion = async (
  channel: GrpcChannel,
): Promise<{ readonly version: string; readonly revision: string }> => {
  const { version, revision } = await channel.client(Version).version({}, { timeoutMs: 2000 });
  return { version, revision };
};
