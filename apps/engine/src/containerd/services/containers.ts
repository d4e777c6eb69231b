/** Containers: the records. Upstream: containerd plugins/services/containers. */
import {
  ContainerCreateSchema,
  ContainerDeleteSchema,
  ContainerUpdateSchema,
} from '../../protocol/gen/containerd/container-events_pb.ts';
import type { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { failedPrecondition, invalidArgument } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import type { GarbageCollector } from '../gc/collector.ts';
import { requireNamespace } from '../identifier.ts';
import type { ContainerStore } from '../metadata/container-store.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface ContainersDependencies {
  readonly containers: ContainerStore;
  readonly events: EventExchange;
  readonly garbage: GarbageCollector;
  /** True while a task of the container exists. */
  readonly hasTask: (namespace: string, id: string) => boolean;
  /** Told the specification (JSON text) of a new container: its task will probably be the next. */
  readonly foresee: (config: Uint8Array) => void;
}

export const containersService = ({
  containers,
  events,
  garbage,
  hasTask,
  foresee,
}: ContainersDependencies): HandlersOf<typeof Containers> => ({
  get: async ({ id }, call) => ({ container: containers.get(requireNamespace(call), id) }),

  list: async ({ filters }, call) => ({
    containers: containers.list(requireNamespace(call), filters),
  }),

  async *listStream({ filters }, call) {
    for (const container of containers.list(requireNamespace(call), filters)) yield { container };
  },

  create: async ({ container }, call) => {
    const namespace = requireNamespace(call);
    const created = containers.create(namespace, required(container));
    const { id, image, runtime, spec } = created;
    if (spec) foresee(spec.value);
    events.publish(namespace, '/containers/create', ContainerCreateSchema, {
      id,
      image,
      runtime: {
        name: runtime?.name ?? '',
        ...(runtime?.options ? { options: runtime.options } : {}),
      },
    });
    return { container: created };
  },

  update: async ({ container, updateMask }, call) => {
    const namespace = requireNamespace(call);
    const updated = containers.update(namespace, required(container), updateMask?.paths ?? []);
    const { id, image, labels, snapshotKey } = updated;
    events.publish(namespace, '/containers/update', ContainerUpdateSchema, {
      id,
      image,
      labels,
      snapshotKey,
    });
    return { container: updated };
  },

  delete: async ({ id }, call) => {
    const namespace = requireNamespace(call);
    containers.get(namespace, id);
    // Upstream leaves this check to its clients. A record under a living task would leave the task without an owner.
    if (hasTask(namespace, id)) throw failedPrecondition(`cannot delete running task ${id}`);
    containers.delete(namespace, id);
    events.publish(namespace, '/containers/delete', ContainerDeleteSchema, { id });
    garbage.touch();
    return {};
  },
});

const required = <T>(container: T | undefined): T => {
  if (!container) throw invalidArgument('container must be set');
  return container;
};
