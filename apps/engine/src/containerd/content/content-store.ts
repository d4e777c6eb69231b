/**
 * The blobs of a namespace, with their labels. Several namespaces share the bytes of a blob on disk, but each sees
 * only what was written (or claimed by digest) in it. Upstream: containerd core/metadata/content.go.
 */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { InfoSchema, type Info } from '../../protocol/gen/containerd/content_pb.ts';
import { alreadyExists, invalidArgument, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { copyOf, messageCodec, type MetadataDatabase, type Table } from '../metadata/database.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import { otherPaths, updateLabels, type Labels } from '../metadata/update-mask.ts';
import type { BlobStore } from './blob-store.ts';
import type { Digest } from './digest.ts';
import type { IngestStatus, IngestWriter } from './ingest.ts';

export class ContentStore {
  readonly blobs: BlobStore;
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #table: Table<Info>;

  constructor(database: MetadataDatabase, namespaces: NamespaceStore, blobs: BlobStore) {
    this.blobs = blobs;
    this.#database = database;
    this.#namespaces = namespaces;
    this.#table = database.table('content', messageCodec(InfoSchema));
  }

  info(namespace: string, digest: Digest): Info {
    const found = this.#table.get([namespace, digest]);
    if (!found) throw notFound(`content digest ${digest}`);
    return found;
  }

  has(namespace: string, digest: Digest): boolean {
    return this.#table.has([namespace, digest]);
  }

  list(namespace: string, filters: readonly string[] = []): Info[] {
    const matches = compileFilters(filters);
    return this.#table
      .list([namespace])
      .map(({ value }) => value)
      .filter((info) => matches((fieldpath) => lookup(info, fieldpath)));
  }

  /** Only labels can change: the bytes are what their name says. */
  update(namespace: string, digest: Digest, labels: Labels, paths: readonly string[]): Info {
    return this.#database.transaction(() => {
      const updated = copyOf(InfoSchema, this.info(namespace, digest));
      const mask = paths.length === 0 ? ['labels'] : paths;
      for (const path of otherPaths(mask)) {
        throw invalidArgument(`cannot update "${path}" field on content info "${digest}"`);
      }
      updated.labels = updateLabels(updated.labels, labels, mask);
      updated.updatedAt = timestampNow();
      this.#table.put([namespace, digest], updated);
      return updated;
    });
  }

  /** The bytes go when the last namespace lets go of them. */
  async delete(namespace: string, digest: Digest): Promise<void> {
    const isLast = this.#database.transaction(() => {
      this.info(namespace, digest);
      this.#table.remove([namespace, digest]);
      return !this.#table.list().some(({ key }) => key[0] !== namespace && key[1] === digest);
    });
    // A crash in between leaves bytes that nobody names; the next write of the digest claims them.
    if (isLast && (await this.blobs.has(digest))) await this.blobs.delete(digest);
  }

  read(
    namespace: string,
    digest: Digest,
    offset: number,
    sizeBytes: number,
  ): AsyncGenerator<Buffer> {
    this.info(namespace, digest);
    return this.blobs.read(digest, offset, sizeBytes);
  }

  /** Opens an ingest. A blob that is on disk already is taken into the namespace instead of being sent again. */
  async writer(
    namespace: string,
    {
      ref,
      totalBytes,
      expected,
    }: { ref: string; totalBytes: number; expected: Digest | undefined },
  ): Promise<IngestWriter> {
    if (ref === '') throw invalidArgument('ref must not be empty');
    if (expected && (this.has(namespace, expected) || (await this.#claim(namespace, expected)))) {
      throw alreadyExists(`content ${expected}`);
    }
    return this.blobs.writer({ ref: scoped(namespace, ref), totalBytes });
  }

  /** Makes what was written a blob of the namespace. */
  async commit(
    namespace: string,
    writer: IngestWriter,
    {
      sizeBytes,
      expected,
      labels,
    }: { sizeBytes: number; expected: Digest | undefined; labels: Labels },
  ): Promise<Digest> {
    let digest: Digest;
    try {
      digest = await writer.commit(sizeBytes, expected);
    } catch (error) {
      // Another namespace has the same bytes: then they are ours too.
      const written = writer.digest();
      if (!(await this.blobs.has(written)) || this.has(namespace, written)) throw error;
      digest = written;
    }
    await this.#record(namespace, digest, labels);
    return digest;
  }

  async statuses(namespace: string): Promise<IngestStatus[]> {
    return (await this.blobs.statuses())
      .filter(({ ref }) => ref.startsWith(scoped(namespace, '')))
      .map((status) => unscoped(namespace, status));
  }

  async status(namespace: string, ref: string): Promise<IngestStatus> {
    return unscoped(namespace, await this.blobs.status(scoped(namespace, ref)));
  }

  async abort(namespace: string, ref: string): Promise<void> {
    await this.blobs.abort(scoped(namespace, ref));
  }

  async #claim(namespace: string, digest: Digest): Promise<boolean> {
    if (!(await this.blobs.has(digest))) return false;
    await this.#record(namespace, digest, {});
    return true;
  }

  async #record(namespace: string, digest: Digest, labels: Labels): Promise<void> {
    const { sizeBytes, modifiedAtMs } = await this.blobs.stat(digest);
    this.#database.transaction(() => {
      this.#namespaces.ensure(namespace);
      this.#table.put(
        [namespace, digest],
        create(InfoSchema, {
          digest,
          size: BigInt(sizeBytes),
          createdAt: timestampFromMs(modifiedAtMs),
          updatedAt: timestampNow(),
          labels,
        }),
      );
    });
  }
}

const scoped = (namespace: string, ref: string): string => `${namespace}/${ref}`;

const unscoped = (namespace: string, status: IngestStatus): IngestStatus => ({
  ...status,
  ref: status.ref.slice(namespace.length + 1),
});

const lookup = (info: Info, [field, ...rest]: readonly string[]): string | undefined => {
  switch (field) {
    case 'digest':
      return info.digest;
    case 'size':
      return String(info.size);
    case 'labels':
      return lookupLabel(info.labels, rest);
    default:
      return undefined;
  }
};
