/** Namespaces. Upstream: containerd plugins/services/namespaces. */
import {
  NamespaceCreateSchema,
  NamespaceDeleteSchema,
  NamespaceUpdateSchema,
} from '../../protocol/gen/containerd/store-events_pb.ts';
import type { Namespaces } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { invalidArgument } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface NamespacesDependencies {
  readonly namespaces: NamespaceStore;
  readonly events: EventExchange;
  /** What a namespace still holds: `containers`, `images`, … */
  readonly holds: (namespace: string) => readonly string[];
}

export const namespacesService = ({
  namespaces,
  events,
  holds,
}: NamespacesDependencies): HandlersOf<typeof Namespaces> => ({
  get: async ({ name }) => ({ namespace: namespaces.find(name) }),

  list: async () => ({ namespaces: namespaces.list() }),

  create: async ({ namespace }, call) => {
    const { name, labels } = required(namespace);
    const created = namespaces.create(name, labels);
    events.publish(call.namespace || name, '/namespaces/create', NamespaceCreateSchema, {
      name,
      labels,
    });
    return { namespace: created };
  },

  update: async ({ namespace, updateMask }, call) => {
    const { name, labels } = required(namespace);
    const updated = namespaces.update(name, labels, updateMask?.paths ?? []);
    events.publish(call.namespace || name, '/namespaces/update', NamespaceUpdateSchema, {
      name,
      labels,
    });
    return { namespace: updated };
  },

  delete: async ({ name }) => {
    namespaces.delete(name, () => holds(name));
    events.publish(name, '/namespaces/delete', NamespaceDeleteSchema, { name });
    return {};
  },
});

const required = <T>(namespace: T | undefined): T => {
  if (!namespace) throw invalidArgument('namespace must be set');
  return namespace;
};
