/** Introspection: who this server is, for `ctr` and `docker info`. Upstream: containerd plugins/services/introspection. */
import { statSync } from 'node:fs';
import type { Introspection } from '../../protocol/gen/containerd/introspection_pb.ts';
import { compileFilters } from '../filters/filter.ts';
import type { HandlersOf } from './handlers-of.ts';

const SNAPSHOTTER = 'io.containerd.snapshotter.v1';

const PLUGINS = [
  { type: 'io.containerd.metadata.v1', id: 'bolt' },
  { type: 'io.containerd.content.v1', id: 'content' },
  { type: SNAPSHOTTER, id: 'overlayfs' },
  { type: SNAPSHOTTER, id: 'native' },
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

/** google.rpc.Code, as a Go error without a kind has it. */
const UNKNOWN = 2;

const PLATFORM = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };

interface Options {
  /** The server's name for life, kept in its root. */
  readonly uuid: string;
  /** Snapshotters that could not be opened on this machine, and why. */
  readonly lacks: ReadonlyMap<string, string>;
}

export const introspectionService = ({
  uuid,
  lacks,
}: Options): HandlersOf<typeof Introspection> => {
  const pluginOf = ({ type, id }: (typeof PLUGINS)[number]) => {
    const lack = type === SNAPSHOTTER ? lacks.get(id) : undefined;
    return {
      type,
      id,
      platforms: [PLATFORM],
      ...(lack === undefined ? {} : { initErr: { code: UNKNOWN, message: lack } }),
    };
  };
  return {
    server: async () => ({
      uuid,
      pid: BigInt(process.pid),
      pidns: BigInt(statSync('/proc/self/ns/pid').ino),
    }),

    plugins: async ({ filters }) => {
      const matches = compileFilters(filters);
      const plugins = PLUGINS.filter((plugin) => matches((path) => lookup(plugin, path)));
      return { plugins: plugins.map(pluginOf) };
    },
  };
};

const lookup = (
  { type, id }: (typeof PLUGINS)[number],
  [field]: readonly string[],
): string | undefined => (field === 'type' ? type : field === 'id' ? id : undefined);
