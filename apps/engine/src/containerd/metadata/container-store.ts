/**
 * Container records: what would be run. Nothing of it runs before a task is made of it.
 * Upstream: containerd core/metadata/containers.go.
 */
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { ContainerSchema, type Container } from '../../protocol/gen/containerd/containers_pb.ts';
import { alreadyExists, invalidArgument, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { validateIdentifier, validateName } from '../identifier.ts';
import { copyOf, messageCodec, type MetadataDatabase, type Table } from './database.ts';
import type { NamespaceStore } from './namespace-store.ts';
import { otherPaths, updateLabels } from './update-mask.ts';

export class ContainerStore {
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #table: Table<Container>;

  constructor(database: MetadataDatabase, namespaces: NamespaceStore) {
    this.#database = database;
    this.#namespaces = namespaces;
    this.#table = database.table('containers', messageCodec(ContainerSchema));
  }

  get(namespace: string, id: string): Container {
    const found = id.length > 200 ? undefined : this.#table.get([namespace, id]);
    if (!found) throw notFound(`container "${id.slice(0, 200)}" in namespace "${namespace}"`);
    return found;
  }

  list(namespace: string, filters: readonly string[] = []): Container[] {
    const matches = compileFilters(filters);
    return this.#table
      .list([namespace])
      .map(({ value }) => value)
      .filter((container) => matches((fieldpath) => lookup(container, fieldpath)));
  }

  create(namespace: string, container: Container): Container {
    validate(container);
    return this.#database.transaction(() => {
      const { id } = container;
      if (this.#table.has([namespace, id])) throw alreadyExists(`container "${id}"`);
      const stored = copyOf(ContainerSchema, container);
      stored.createdAt = timestampNow();
      stored.updatedAt = stored.createdAt;
      this.#namespaces.ensure(namespace);
      this.#table.put([namespace, id], stored);
      return stored;
    });
  }

  update(namespace: string, next: Container, paths: readonly string[]): Container {
    if (next.id === '') throw invalidArgument('must specify a container id');
    return this.#database.transaction(() => {
      const current = this.get(namespace, next.id);
      // The runtime and the snapshotter of a container are for life.
      if (paths.length === 0 && next.snapshotter !== current.snapshotter) {
        throw invalidArgument('container.Snapshotter field is immutable');
      }
      if (paths.length === 0 && next.runtime?.name !== current.runtime?.name) {
        throw invalidArgument('container.Runtime.Name field is immutable');
      }
      const mask =
        paths.length === 0 ? ['labels', 'spec', 'extensions', 'image', 'snapshotkey'] : paths;
      const updated = copyOf(ContainerSchema, current);
      updated.labels = updateLabels(current.labels, next.labels, mask);
      for (const path of otherPaths(mask)) applyPath(updated, next, path);
      updated.updatedAt = timestampNow();
      validate(updated);
      this.#table.put([namespace, next.id], updated);
      return updated;
    });
  }

  delete(namespace: string, id: string): void {
    this.#database.transaction(() => {
      this.get(namespace, id);
      this.#table.remove([namespace, id]);
    });
  }
}

const applyPath = (updated: Container, next: Container, path: string): void => {
  if (path.startsWith('extensions.')) {
    const key = path.slice('extensions.'.length);
    const extension = Object.hasOwn(next.extensions, key) ? next.extensions[key] : undefined;
    if (extension) updated.extensions[key] = extension;
    else delete updated.extensions[key];
    return;
  }
  switch (path) {
    case 'spec':
      if (next.spec) updated.spec = next.spec;
      return;
    case 'extensions':
      updated.extensions = next.extensions;
      return;
    case 'image':
      updated.image = next.image;
      return;
    case 'snapshotkey':
    case 'snapshot_key':
      updated.snapshotKey = next.snapshotKey;
      return;
    default:
      throw invalidArgument(`cannot update "${path}" field on "${next.id}"`);
  }
};

const validate = (container: Container): void => {
  validateIdentifier(container.id);
  for (const [key, value] of Object.entries(container.labels)) {
    validateName('label', key);
    // containerd's own bound on key and value together.
    if (key.length + value.length > 4096) {
      throw invalidArgument(
        `label key and value length (${key.length + value.length} bytes) greater than maximum size (4096 bytes), key: ${key.slice(0, 10)}`,
      );
    }
  }
  if (Object.keys(container.extensions).includes('')) {
    throw invalidArgument('container.Extension keys must not be zero-length');
  }
  if (!container.runtime?.name) throw invalidArgument('container.Runtime.Name must be set');
  if (!container.spec) throw invalidArgument('container.Spec must be set');
  if (container.snapshotKey !== '' && container.snapshotter === '') {
    throw invalidArgument('container.Snapshotter must be set if container.SnapshotKey is set');
  }
};

const lookup = (container: Container, [field, ...rest]: readonly string[]): string | undefined => {
  switch (field) {
    case 'id':
      return container.id;
    case 'runtime':
      return rest[0] === 'name' ? container.runtime?.name : undefined;
    case 'image':
      return container.image === '' ? undefined : container.image;
    case 'labels':
      return lookupLabel(container.labels, rest);
    default:
      return undefined;
  }
};
