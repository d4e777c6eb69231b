/**
 * The blobs of a namespace, with their labels. Several namespaces share the bytes of a blob on disk, but each sees
 * only what was written (or claimed by digest) in it. Upstream: containerd core/metadata/content.go.
 */
import { create } from '@bufbuild/protobuf';
import { kindOf } from '../../protocol/errdefs.ts';
import { InfoSchema, type Info } from '../../protocol/gen/containerd/content_pb.ts';
import { nowMs, timestampOf } from '../clock.ts';
import { alreadyExists, invalidArgument, notFound } from '../errors.ts';
import { compileFilters, lookupLabel } from '../filters/filter.ts';
import { copyOf, messageCodec, type MetadataDatabase, type Table } from '../metadata/database.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import { otherPaths, updateLabels, type Labels } from '../metadata/update-mask.ts';
import type { BlobStore } from './blob-store.ts';
import { isDigest, type Digest } from './digest.ts';
import type { IngestStatus, IngestWriter } from './ingest.ts';

/** As in containerd: after a day without a byte, an ingest is given up. */
const INGEST_LIFE_MS = 24 * 60 * 60 * 1000;

export class ContentStore {
  readonly blobs: BlobStore;
  readonly #database: MetadataDatabase;
  readonly #namespaces: NamespaceStore;
  readonly #table: Table<Info>;
  /** Blobs between their rename and their record. */
  readonly #arriving = new Set<Digest>();

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

  /** Undefined when there is no such blob. */
  find(namespace: string, digest: string): Info | undefined {
    return this.#table.get([namespace, digest]);
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
      updated.updatedAt = timestampOf(nowMs());
      this.#table.put([namespace, digest], updated);
      return updated;
    });
  }

  async delete(namespace: string, digest: Digest): Promise<void> {
    this.info(namespace, digest);
    await this.collect(namespace, [digest]);
  }

  /**
   * Lets go of the blobs; the bytes go when the last namespace has let go of them.
   * Postcondition: the records are gone when this returns, the bytes when it resolves.
   */
  async collect(namespace: string, digests: readonly string[]): Promise<void> {
    if (digests.length === 0) return;
    this.#database.transaction(() => {
      for (const digest of digests) this.#table.remove([namespace, digest]);
    });
    await this.#dropUnnamed(digests.filter(isDigest));
  }

  /** Bytes that a crash left without a name. Called once, before anybody writes. */
  async dropOrphans(): Promise<void> {
    const digests: Digest[] = [];
    for await (const { digest } of this.blobs.list()) digests.push(digest);
    await this.#dropUnnamed(digests);
  }

  /** What was begun and not gone on with. */
  async dropStaleIngests(nowMs: number): Promise<void> {
    for (const { ref, updatedAtMs } of await this.blobs.statuses()) {
      if (nowMs - updatedAtMs > INGEST_LIFE_MS) await this.blobs.abort(ref).catch(() => undefined);
    }
  }

  async #dropUnnamed(digests: readonly Digest[]): Promise<void> {
    const named = new Set(this.#table.list().map(({ key }) => key[1]));
    // A crash in between leaves bytes that nobody names: the next start removes them.
    for (const digest of digests) {
      // Somebody may have written or claimed it since; between this look and the removal nothing else runs.
      if (named.has(digest) || this.#arriving.has(digest) || this.#isNamed(digest)) continue;
      this.blobs.deleteNow(digest);
    }
  }

  #isNamed(digest: Digest): boolean {
    return this.#namespaces.list().some(({ name }) => this.has(name, digest));
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

  /** Where its bytes lie, for whoever reads all of them. Precondition: it is there. */
  pathOf(digest: Digest): string {
    return this.blobs.pathOf(digest);
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
    if (expected && (this.has(namespace, expected) || this.#claim(namespace, expected))) {
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
    const written = writer.digest();
    this.#arriving.add(written);
    try {
      await writer.commit(sizeBytes, expected).catch((error: unknown) => {
        // Another namespace has the same bytes: then they are ours too.
        if (kindOf(error) !== 'already_exists' || this.has(namespace, written)) throw error;
      });
      this.#record(namespace, written, labels);
      return written;
    } finally {
      this.#arriving.delete(written);
    }
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

  /** Takes what another namespace has. */
  #claim(namespace: string, digest: Digest): boolean {
    if (this.blobs.statNow(digest) === undefined) return false;
    this.#record(namespace, digest, {});
    return true;
  }

  /** Looks at the blob and writes it down in one go, so that no collection can come in between. */
  #record(namespace: string, digest: Digest, labels: Labels): void {
    const stat = this.blobs.statNow(digest);
    if (!stat) throw notFound(`content ${digest}`);
    const now = timestampOf(nowMs());
    this.#database.transaction(() => {
      this.#namespaces.ensure(namespace);
      this.#table.put(
        [namespace, digest],
        create(InfoSchema, {
          digest,
          size: BigInt(stat.sizeBytes),
          createdAt: now,
          updatedAt: now,
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
