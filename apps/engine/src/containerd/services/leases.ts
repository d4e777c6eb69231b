/** Leases. Upstream: containerd plugins/services/leases. */
import type { Leases } from '../../protocol/gen/containerd/leases_pb.ts';
import { invalidArgument } from '../errors.ts';
import type { GarbageCollector } from '../gc/collector.ts';
import { requireNamespace } from '../identifier.ts';
import type { LeaseStore } from '../metadata/lease-store.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface LeasesDependencies {
  readonly leases: LeaseStore;
  readonly garbage: GarbageCollector;
}

export const leasesService = ({
  leases,
  garbage,
}: LeasesDependencies): HandlersOf<typeof Leases> => ({
  create: async ({ id, labels }, call) => ({
    lease: leases.create(requireNamespace(call), id, labels),
  }),

  delete: async ({ id, sync }, call) => {
    leases.delete(requireNamespace(call), id);
    if (sync) await garbage.collect();
    else garbage.touch();
    return {};
  },

  list: async ({ filters }, call) => ({ leases: leases.list(requireNamespace(call), filters) }),

  addResource: async ({ id, resource }, call) => {
    leases.addResource(requireNamespace(call), id, required(resource));
    return {};
  },

  deleteResource: async ({ id, resource }, call) => {
    leases.deleteResource(requireNamespace(call), id, required(resource));
    return {};
  },

  listResources: async ({ id }, call) => ({
    resources: leases.listResources(requireNamespace(call), id),
  }),
});

const required = <T>(resource: T | undefined): T => {
  if (!resource) throw invalidArgument('resource must be set');
  return resource;
};
