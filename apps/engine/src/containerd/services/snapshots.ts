/** Snapshots: which snapshotter, then its verbs. Upstream: containerd plugins/services/snapshots. */
import type { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from '../../protocol/gen/containerd/store-events_pb.ts';
import { invalidArgument, notFound } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import { requireNamespace } from '../identifier.ts';
import type { Mount, Snapshotter } from '../snapshots/snapshotter.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface SnapshotsDependencies {
  readonly snapshotters: ReadonlyMap<string, Snapshotter>;
  readonly events: EventExchange;
}

/** A message of the stream holds so many at most. */
const BLOCK = 100;

export const snapshotsService = ({
  snapshotters,
  events,
}: SnapshotsDependencies): HandlersOf<typeof Snapshots> => {
  const named = (name: string): Snapshotter => {
    if (name === '') throw invalidArgument('snapshotter argument missing');
    const found = snapshotters.get(name);
    if (!found) throw notFound(`snapshotter not loaded: ${name}`);
    return found;
  };
  return {
    prepare: async ({ snapshotter, key, parent, labels }, call) => {
      const namespace = requireNamespace(call);
      const mounts = await named(snapshotter).prepare(namespace, key, parent, labels);
      events.publish(namespace, '/snapshot/prepare', SnapshotPrepareSchema, {
        key,
        parent,
        snapshotter,
      });
      return { mounts: mounts.map(toMessage) };
    },

    view: async ({ snapshotter, key, parent, labels }, call) => {
      const namespace = requireNamespace(call);
      const mounts = await named(snapshotter).view(namespace, key, parent, labels);
      events.publish(namespace, '/snapshot/prepare', SnapshotPrepareSchema, {
        key,
        parent,
        snapshotter,
      });
      return { mounts: mounts.map(toMessage) };
    },

    mounts: async ({ snapshotter, key }, call) => ({
      mounts: named(snapshotter).mounts(requireNamespace(call), key).map(toMessage),
    }),

    commit: async ({ snapshotter, name, key, labels }, call) => {
      const namespace = requireNamespace(call);
      await named(snapshotter).commit(namespace, name, key, labels);
      events.publish(namespace, '/snapshot/commit', SnapshotCommitSchema, {
        key,
        name,
        snapshotter,
      });
      return {};
    },

    remove: async ({ snapshotter, key }, call) => {
      const namespace = requireNamespace(call);
      await named(snapshotter).remove(namespace, key);
      events.publish(namespace, '/snapshot/remove', SnapshotRemoveSchema, { key, snapshotter });
      return {};
    },

    stat: async ({ snapshotter, key }, call) => ({
      info: named(snapshotter).stat(requireNamespace(call), key),
    }),

    update: async ({ snapshotter, info, updateMask }, call) => {
      if (!info) throw invalidArgument('info must be set');
      const paths = updateMask?.paths ?? [];
      return {
        info: named(snapshotter).update(requireNamespace(call), info.name, info.labels, paths),
      };
    },

    async *list({ snapshotter, filters }, call) {
      const infos = named(snapshotter).list(requireNamespace(call), filters);
      for (let start = 0; start < infos.length; start += BLOCK)
        yield { info: infos.slice(start, start + BLOCK) };
    },

    usage: async ({ snapshotter, key }, call) => {
      const { sizeBytes, inodes } = await named(snapshotter).usage(requireNamespace(call), key);
      return { size: BigInt(sizeBytes), inodes: BigInt(inodes) };
    },

    cleanup: async ({ snapshotter }) => {
      await named(snapshotter).cleanup();
      return {};
    },
  };
};

const toMessage = ({ type, source, options }: Mount) => ({ type, source, options: [...options] });
