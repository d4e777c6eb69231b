/** Snapshots: which snapshotter, then its verbs. Upstream: containerd plugins/services/snapshots. */
import type { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import {
  SnapshotCommitSchema,
  SnapshotPrepareSchema,
  SnapshotRemoveSchema,
} from '../../protocol/gen/containerd/store-events_pb.ts';
import type { CallContext } from '../../transport/service.ts';
import { invalidArgument, notFound } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import type { GarbageCollector } from '../gc/collector.ts';
import { requireNamespace } from '../identifier.ts';
import type { LeasedResource, LeaseStore } from '../metadata/lease-store.ts';
import type { Mount, Snapshotter } from '../snapshots/snapshotter.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface SnapshotsDependencies {
  readonly snapshotters: ReadonlyMap<string, Snapshotter>;
  readonly events: EventExchange;
  readonly leases: LeaseStore;
  readonly garbage: GarbageCollector;
}

/** A message of the stream holds so many at most. */
const BLOCK = 100;

export const snapshotsService = ({
  snapshotters,
  events,
  leases,
  garbage,
}: SnapshotsDependencies): HandlersOf<typeof Snapshots> => {
  const named = (name: string): Snapshotter => {
    if (name === '') throw invalidArgument('snapshotter argument missing');
    const found = snapshotters.get(name);
    if (!found) throw notFound(`snapshotter not loaded: ${name}`);
    return found;
  };
  /** Makes a snapshot that belongs to the lease of the call; a failed one leaves nothing behind. */
  const held = async <T>(call: CallContext, resource: LeasedResource, work: () => Promise<T>) => {
    const namespace = requireNamespace(call);
    const exists = named(snapshotterOf(resource)).find(namespace, resource.id) !== undefined;
    leases.hold(namespace, call, resource);
    try {
      return await work();
    } catch (error) {
      if (!exists) leases.release(namespace, call, resource);
      throw error;
    }
  };
  return {
    prepare: async ({ snapshotter, key, parent, labels }, call) => {
      const namespace = requireNamespace(call);
      const under = named(snapshotter);
      const mounts = await held(call, resourceOf(snapshotter, key), () =>
        under.prepare(namespace, key, parent, labels),
      );
      events.publish(namespace, '/snapshot/prepare', SnapshotPrepareSchema, {
        key,
        parent,
        snapshotter,
      });
      return { mounts: mounts.map(toMessage) };
    },

    view: async ({ snapshotter, key, parent, labels }, call) => {
      const namespace = requireNamespace(call);
      const under = named(snapshotter);
      const mounts = await held(call, resourceOf(snapshotter, key), () =>
        under.view(namespace, key, parent, labels),
      );
      return { mounts: mounts.map(toMessage) };
    },

    mounts: async ({ snapshotter, key }, call) => ({
      mounts: named(snapshotter).mounts(requireNamespace(call), key).map(toMessage),
    }),

    commit: async ({ snapshotter, name, key, labels }, call) => {
      const namespace = requireNamespace(call);
      const under = named(snapshotter);
      await held(call, resourceOf(snapshotter, name), () =>
        under.commit(namespace, name, key, labels),
      );
      leases.release(namespace, call, resourceOf(snapshotter, key));
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
      garbage.touch();
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

const resourceOf = (snapshotter: string, key: string): LeasedResource => ({
  type: `snapshots/${snapshotter}`,
  id: key,
});

const snapshotterOf = ({ type }: LeasedResource): string => type.slice('snapshots/'.length);

const toMessage = ({ type, source, options }: Mount) => ({ type, source, options: [...options] });
