/** Images: names that point at manifests. Upstream: containerd plugins/services/images. */
import {
  ImageCreateSchema,
  ImageDeleteSchema,
  ImageUpdateSchema,
} from '../../protocol/gen/containerd/image-events_pb.ts';
import type { Images } from '../../protocol/gen/containerd/images_pb.ts';
import { invalidArgument } from '../errors.ts';
import type { EventExchange } from '../events/exchange.ts';
import type { GarbageCollector } from '../gc/collector.ts';
import { requireNamespace } from '../identifier.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface ImagesDependencies {
  readonly images: ImageStore;
  readonly events: EventExchange;
  readonly garbage: GarbageCollector;
}

export const imagesService = ({
  images,
  events,
  garbage,
}: ImagesDependencies): HandlersOf<typeof Images> => ({
  get: async ({ name }, call) => ({ image: images.get(requireNamespace(call), name) }),

  list: async ({ filters }, call) => ({ images: images.list(requireNamespace(call), filters) }),

  create: async ({ image }, call) => {
    const namespace = requireNamespace(call);
    const created = images.create(namespace, required(image));
    events.publish(namespace, '/images/create', ImageCreateSchema, {
      name: created.name,
      labels: created.labels,
    });
    return { image: created };
  },

  update: async ({ image, updateMask }, call) => {
    const namespace = requireNamespace(call);
    const updated = images.update(namespace, required(image), updateMask?.paths ?? []);
    events.publish(namespace, '/images/update', ImageUpdateSchema, {
      name: updated.name,
      labels: updated.labels,
    });
    return { image: updated };
  },

  delete: async ({ name, target, sync }, call) => {
    const namespace = requireNamespace(call);
    images.delete(namespace, name, target?.digest);
    events.publish(namespace, '/images/delete', ImageDeleteSchema, { name });
    if (sync) await garbage.collect();
    else garbage.touch();
    return {};
  },
});

const required = <T>(image: T | undefined): T => {
  if (!image) throw invalidArgument('image must be set');
  return image;
};
