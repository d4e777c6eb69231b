/** Introspection: who this server is, for `ctr` and `docker info`. Upstream: containerd plugins/services/introspection. */
import { statSync } from 'node:fs';
import type { Introspection } from '../../protocol/gen/containerd/introspection_pb.ts';
import type { HandlersOf } from './handlers-of.ts';

const PLUGINS = [
  { type: 'io.containerd.metadata.v1', id: 'bolt' },
  { type: 'io.containerd.content.v1', id: 'content' },
  { type: 'io.containerd.snapshotter.v1', id: 'overlayfs' },
  { type: 'io.containerd.differ.v1', id: 'walking' },
  { type: 'io.containerd.runtime.v2', id: 'task' },
  ...[
    'version',
    'namespaces',
    'containers',
    'content',
    'images',
    'snapshots',
    'diff',
    'leases',
    'tasks',
    'events',
    'introspection',
    'healthcheck',
  ].map((id) => ({ type: 'io.containerd.grpc.v1', id })),
] as const;

const PLATFORM = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };

/** `uuid` is the server's name for life, kept in its root. */
export const introspectionService = (uuid: string): HandlersOf<typeof Introspection> => ({
  server: async () => ({
    uuid,
    pid: BigInt(process.pid),
    pidns: BigInt(statSync('/proc/self/ns/pid').ino),
  }),

  plugins: async () => ({
    plugins: PLUGINS.map((plugin) => ({ ...plugin, platforms: [PLATFORM] })),
  }),
});
