/**
 * Leases hold resources while a client works on them: what no image and no lease points at is collected.
 * Upstream: containerd core/metadata/leases.go.
 */
import { create } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { randomBytes } from 'node:crypto';
import { LeaseSchema, type Lease } from '../../protocol/gen/containerd/leases_pb.ts';
import { alreadyExists, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { validateName } from '../identifier.ts';
import { jsonCodec, messageCodec, type MetadataDatabase, type Table } from './database.ts';
import type { NamespaceStore } from './namespace-store.ts';
import type { Labels } from './update-mask.ts';

export interface LeasedResource {
  readonly id: string;
  /** `content`, `ingests` or `snapshots/<snapshotter>`. */
  readonly type: string;
}

const LEASE_KEY = 'containerd-lease';

/** The call that says under which lease it works. */
export interface LeaseHolder {
  readonly metadata: ReadonlyMap<string, string>;
}

export class LeaseStore {
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #leases: Table<Lease>;
  readonly #resources: Table<LeasedResource>;

  constructor(database: MetadataDatabase, namespaces: NamespaceStore) {
    this.#database = database;
    this.#namespaces = namespaces;
    this.#leases = database.table('leases', messageCodec(LeaseSchema));
    this.#resources = database.table('leased resources', jsonCodec<LeasedResource>());
  }

  create(namespace: string, id: string, labels: Labels): Lease {
    const name = id === '' ? randomId() : validateName('lease id', id, 200);
    return this.#database.transaction(() => {
      if (this.#leases.has([namespace, name])) throw alreadyExists(`lease "${name}"`);
      const lease = create(LeaseSchema, { id: name, createdAt: timestampNow(), labels });
      this.#namespaces.ensure(namespace);
      this.#leases.put([namespace, name], lease);
      return lease;
    });
  }

  list(namespace: string, filters: readonly string[]): Lease[] {
    const matches = compileFilters(filters);
    return this.#leases
      .list([namespace])
      .map(({ value }) => value)
      .filter((lease) =>
        matches(([field, ...rest]) =>
          field === 'id'
            ? lease.id
            : field === 'labels'
              ? lookupLabel(lease.labels, rest)
              : undefined,
        ),
      );
  }

  delete(namespace: string, id: string): void {
    this.#database.transaction(() => {
      this.#require(namespace, id);
      this.#leases.remove([namespace, id]);
      for (const { key } of this.#resources.list([namespace, id])) this.#resources.remove(key);
    });
  }

  addResource(namespace: string, id: string, { id: resourceId, type }: LeasedResource): void {
    validateName('resource id', resourceId);
    validateName('resource type', type, 100);
    this.#database.transaction(() => {
      this.#require(namespace, id);
      this.#resources.put([namespace, id, type, resourceId], { id: resourceId, type });
    });
  }

  deleteResource(namespace: string, id: string, resource: LeasedResource): void {
    this.#database.transaction(() => {
      this.#require(namespace, id);
      this.#resources.remove([namespace, id, resource.type, resource.id]);
    });
  }

  /**
   * Whatever a call makes belongs to the lease that the call names (metadata `containerd-lease`); none is fine.
   * Called before the thing exists, so that no collection finds it without its lease.
   */
  hold(namespace: string, call: LeaseHolder, resource: LeasedResource): void {
    const id = call.metadata.get(LEASE_KEY) ?? '';
    if (id === '') return;
    if (!this.#leases.has([namespace, id])) throw notFound('lease does not exist');
    this.addResource(namespace, id, resource);
  }

  release(namespace: string, call: LeaseHolder, resource: LeasedResource): void {
    const id = call.metadata.get(LEASE_KEY) ?? '';
    if (id !== '' && this.#leases.has([namespace, id]))
      this.deleteResource(namespace, id, resource);
  }

  listResources(namespace: string, id: string): LeasedResource[] {
    this.#require(namespace, id);
    return this.#resources.list([namespace, id]).map(({ value }) => value);
  }

  #require(namespace: string, id: string): void {
    validateName('lease id', id, 200);
    if (!this.#leases.has([namespace, id])) throw notFound(`lease "${id}"`);
  }
}

/** As containerd makes them: the time, so that they sort, and something random. */
const randomId = (): string => `${Date.now()}-${randomBytes(3).toString('base64url')}`;
