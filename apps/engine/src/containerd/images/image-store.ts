/**
 * Images: a name that points at a digest. Manifest, config and layers are blobs in the content store;
 * the image is nothing but the pointer. Upstream: containerd core/metadata/images.go.
 */
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { ImageSchema, type Image } from '../../protocol/gen/containerd/images_pb.ts';
import { isDigest } from '../content/digest.ts';
import { alreadyExists, invalidArgument, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { validateName } from '../identifier.ts';
import { copyOf, messageCodec, type MetadataDatabase, type Table } from '../metadata/database.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import { otherPaths, updateLabels } from '../metadata/update-mask.ts';

export class ImageStore {
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #table: Table<Image>;

  constructor(database: MetadataDatabase, namespaces: NamespaceStore) {
    this.#database = database;
    this.#namespaces = namespaces;
    this.#table = database.table('images', messageCodec(ImageSchema));
  }

  get(namespace: string, name: string): Image {
    const found = this.#table.get([namespace, validateName('image name', name)]);
    if (!found) throw notFound(`image "${name}"`);
    return found;
  }

  list(namespace: string, filters: readonly string[] = []): Image[] {
    const matches = compileFilters(filters);
    return this.#table
      .list([namespace])
      .map(({ value }) => value)
      .filter((image) => matches((fieldpath) => lookup(image, fieldpath)));
  }

  create(namespace: string, image: Image): Image {
    validate(image);
    return this.#database.transaction(() => {
      if (this.#table.has([namespace, image.name])) throw alreadyExists(`image "${image.name}"`);
      const stored = copyOf(ImageSchema, image);
      stored.createdAt = timestampNow();
      stored.updatedAt = stored.createdAt;
      this.#namespaces.ensure(namespace);
      this.#table.put([namespace, image.name], stored);
      return stored;
    });
  }

  update(namespace: string, next: Image, paths: readonly string[]): Image {
    if (next.name === '') throw invalidArgument('image name is required for update');
    return this.#database.transaction(() => {
      const current = this.get(namespace, next.name);
      const mask = paths.length === 0 ? ['labels', 'target'] : paths;
      const updated = copyOf(ImageSchema, current);
      updated.labels = updateLabels(current.labels, next.labels, mask);
      for (const path of otherPaths(mask)) {
        if (path !== 'target' && path !== 'annotations') {
          throw invalidArgument(`cannot update "${path}" field on image "${next.name}"`);
        }
        if (path === 'target' && next.target) updated.target = next.target;
        if (path === 'annotations' && updated.target) {
          updated.target.annotations = next.target?.annotations ?? {};
        }
      }
      updated.updatedAt = timestampNow();
      validate(updated);
      this.#table.put([namespace, next.name], updated);
      return updated;
    });
  }

  /** With `target`: only if the image still points there. */
  delete(namespace: string, name: string, target?: string): void {
    this.#database.transaction(() => {
      const current = this.get(namespace, name);
      if (target !== undefined && current.target?.digest !== target) {
        throw notFound(`image "${name}" has target ${current.target?.digest ?? ''}, not ${target}`);
      }
      this.#table.remove([namespace, name]);
    });
  }
}

const validate = ({ name, target }: Image): void => {
  validateName('image name', name);
  if (!target || !isDigest(target.digest))
    throw invalidArgument(`target.Digest "${target?.digest ?? ''}" invalid`);
  if (target.size <= 0n) throw invalidArgument('target.Size must be greater than zero');
  if (target.mediaType === '') throw invalidArgument('target.MediaType must be set');
};

const lookup = (image: Image, [field, ...rest]: readonly string[]): string | undefined => {
  switch (field) {
    case 'name':
      return image.name;
    case 'target':
      if (rest[0] === 'digest') return image.target?.digest;
      return rest[0] === 'mediatype' ? image.target?.mediaType : undefined;
    case 'labels':
      return lookupLabel(image.labels, rest);
    case 'annotations':
      return lookupLabel(image.target?.annotations ?? {}, rest);
    default:
      return undefined;
  }
};
