/**
 * The records behind a snapshotter: kinds, parents, labels, and the number that names the folder of each.
 * The rules of the life of a snapshot are here, the folders are the snapshotter's.
 * Upstream: containerd core/snapshots/storage.
 */
import { create } from '@bufbuild/protobuf';
import { InfoSchema, Kind, type Info } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { nowMs, timestampOf } from '../clock.ts';
import { alreadyExists, failedPrecondition, invalidArgument, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { validateName } from '../identifier.ts';
import { jsonCodec, type MetadataDatabase, type Table } from '../metadata/database.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import { otherPaths, updateLabels, type Labels } from '../metadata/update-mask.ts';
import type { Usage } from './snapshotter.ts';

export type SnapshotKind = 'active' | 'view' | 'committed';

export interface SnapshotRecord {
  /** Names the folder. */
  readonly id: number;
  readonly key: string;
  readonly kind: SnapshotKind;
  readonly parent: string;
  readonly labels: Labels;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Measured once, at commit. */
  readonly usage: Usage;
}

/** A snapshot with the folders of its ancestors, nearest first. */
export interface Snapshot {
  readonly record: SnapshotRecord;
  readonly parentIds: readonly number[];
}

const NO_USAGE: Usage = { sizeBytes: 0, inodes: 0 };

export class SnapshotStore {
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #table: Table<SnapshotRecord>;
  readonly #counters: Table<number>;
  readonly #snapshotter: string;
  #lastId = 0;

  constructor(database: MetadataDatabase, namespaces: NamespaceStore, snapshotter: string) {
    this.#database = database;
    this.#namespaces = namespaces;
    this.#snapshotter = snapshotter;
    this.#table = database.table('snapshots', jsonCodec<SnapshotRecord>());
    this.#counters = database.table('counters', jsonCodec<number>());
  }

  /** A number for a folder that is about to be made. It is remembered with the record; a crash before frees it. */
  nextId(): number {
    this.#lastId = Math.max(this.#lastId, this.#counters.get([this.#snapshotter]) ?? 0) + 1;
    return this.#lastId;
  }

  create(
    namespace: string,
    {
      id,
      key,
      kind,
      parent,
      labels,
    }: Pick<SnapshotRecord, 'id' | 'key' | 'kind' | 'parent' | 'labels'>,
  ): Snapshot {
    validateName('snapshot key', key);
    return this.#database.transaction(() => {
      if (this.#table.has(this.#key(namespace, key))) throw alreadyExists(`snapshot "${key}"`);
      if (parent !== '') this.#requireCommitted(namespace, parent);
      const now = nowMs();
      const record = {
        id,
        key,
        kind,
        parent,
        labels,
        createdAtMs: now,
        updatedAtMs: now,
        usage: NO_USAGE,
      };
      this.#namespaces.ensure(namespace);
      this.#table.put(this.#key(namespace, key), record);
      this.#counters.put([this.#snapshotter], this.#lastId);
      return { record, parentIds: this.#ancestors(namespace, record) };
    });
  }

  get(namespace: string, key: string): Snapshot {
    const record = this.#require(namespace, key);
    return { record, parentIds: this.#ancestors(namespace, record) };
  }

  find(namespace: string, key: string): SnapshotRecord | undefined {
    return this.#table.get(this.#key(namespace, key));
  }

  /** Undefined when there is no such snapshot. */
  idOf(namespace: string, key: string): number | undefined {
    return this.#table.get(this.#key(namespace, validateName('snapshot key', key)))?.id;
  }

  commit(
    namespace: string,
    name: string,
    key: string,
    { labels, usage }: { labels: Labels; usage: Usage },
  ): void {
    validateName('snapshot name', name);
    this.#database.transaction(() => {
      if (this.#table.has(this.#key(namespace, name))) throw alreadyExists(`snapshot "${name}"`);
      const record = this.#require(namespace, key);
      if (record.kind !== 'active') throw failedPrecondition(`snapshot "${key}" is not active`);
      const now = nowMs();
      this.#table.remove(this.#key(namespace, key));
      this.#table.put(this.#key(namespace, name), {
        ...record,
        key: name,
        kind: 'committed',
        labels: { ...record.labels, ...labels },
        createdAtMs: now,
        updatedAtMs: now,
        usage,
      });
    });
  }

  /** Answers the number of the folder that nobody needs any more. */
  remove(namespace: string, key: string): number {
    return this.#database.transaction(() => {
      const record = this.#require(namespace, key);
      const isParent = this.#all(namespace).some(({ parent }) => parent === key);
      if (isParent) throw failedPrecondition('cannot remove snapshot with child');
      this.#table.remove(this.#key(namespace, key));
      return record.id;
    });
  }

  /** Precondition: nothing else stands on them. Answers the numbers of their folders, the youngest first. */
  removeAll(namespace: string, keys: ReadonlySet<string>): number[] {
    if (keys.size === 0) return [];
    return this.#database.transaction(() => {
      const records = this.#all(namespace).filter(({ key }) => keys.has(key));
      for (const { key } of records) this.#table.remove(this.#key(namespace, key));
      // A parent is always older than what stands on it.
      return records.map(({ id }) => id).sort((left, right) => right - left);
    });
  }

  update(namespace: string, key: string, labels: Labels, paths: readonly string[]): SnapshotRecord {
    return this.#database.transaction(() => {
      const record = this.#require(namespace, key);
      const mask = paths.length === 0 ? ['labels'] : paths;
      for (const path of otherPaths(mask))
        throw invalidArgument(`cannot update "${path}" field on snapshot "${key}"`);
      const updated = {
        ...record,
        labels: updateLabels(record.labels, labels, mask),
        updatedAtMs: nowMs(),
      };
      this.#table.put(this.#key(namespace, key), updated);
      return updated;
    });
  }

  list(namespace: string, filters: readonly string[]): SnapshotRecord[] {
    const matches = compileFilters(filters);
    return this.#all(namespace).filter((record) =>
      matches((fieldpath) => lookup(record, fieldpath)),
    );
  }

  /** The folders that belong to somebody, in any namespace. */
  ids(): Set<number> {
    return new Set(this.#table.list([this.#snapshotter]).map(({ value }) => value.id));
  }

  #key(namespace: string, key: string): string[] {
    return [this.#snapshotter, namespace, key];
  }

  #all(namespace: string): SnapshotRecord[] {
    return this.#table.list([this.#snapshotter, namespace]).map(({ value }) => value);
  }

  #require(namespace: string, key: string): SnapshotRecord {
    const record = this.#table.get(this.#key(namespace, validateName('snapshot key', key)));
    if (!record) throw notFound(`snapshot ${key} does not exist`);
    return record;
  }

  #requireCommitted(namespace: string, parent: string): void {
    const record = this.#table.get(this.#key(namespace, validateName('parent', parent)));
    if (!record) throw notFound(`parent snapshot ${parent} does not exist`);
    if (record.kind !== 'committed')
      throw invalidArgument(`parent "${parent}" is not committed snapshot`);
  }

  #ancestors(namespace: string, record: SnapshotRecord): number[] {
    const ids: number[] = [];
    for (let parent = record.parent; parent !== '';) {
      const next = this.#require(namespace, parent);
      ids.push(next.id);
      parent = next.parent;
    }
    return ids;
  }
}

const KINDS: Readonly<Record<SnapshotKind, Kind>> = {
  active: Kind.ACTIVE,
  view: Kind.VIEW,
  committed: Kind.COMMITTED,
};

/** The record as the API says it. */
export const infoOf = (record: SnapshotRecord): Info =>
  create(InfoSchema, {
    name: record.key,
    parent: record.parent,
    kind: KINDS[record.kind],
    createdAt: timestampOf(record.createdAtMs),
    updatedAt: timestampOf(record.updatedAtMs),
    labels: { ...record.labels },
  });

const lookup = (
  record: SnapshotRecord,
  [field, ...rest]: readonly string[],
): string | undefined => {
  switch (field) {
    case 'kind':
      return record.kind;
    case 'name':
      return record.key;
    case 'parent':
      return record.parent === '' ? undefined : record.parent;
    case 'labels':
      return lookupLabel(record.labels, rest);
    default:
      return undefined;
  }
};
