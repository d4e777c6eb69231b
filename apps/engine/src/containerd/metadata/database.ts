/**
 * containerd's memory: namespaces, containers, images, snapshots, leases and the labels of content.
 *
 * One lmdb file, an mmap B-tree as containerd's bbolt is. A transaction is whole: a kill at any moment leaves the
 * state before or after it, never between, and what was answered survives the kill. Keys begin with the namespace.
 * Upstream: containerd core/metadata (bolt).
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { open, type Database, type RootDatabase } from 'lmdb';
import { EngineError } from '../../protocol/errdefs.ts';

export const SCHEMA_VERSION = 1;

export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** Records that are also what the API says: stored as they travel. */
export const messageCodec = <D extends DescMessage>(schema: D): Codec<MessageShape<D>> => ({
  encode: (value) => toBinary(schema, value),
  // The buffer belongs to lmdb and changes with the next transaction: copy.
  decode: (bytes) => fromBinary(schema, Uint8Array.from(bytes)),
});

/** Records of our own. */
export const jsonCodec = <T>(): Codec<T> => ({
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as T,
});

export type Key = readonly string[];

export class Table<T> {
  readonly #database: Database<Buffer, string[]>;
  readonly #codec: Codec<T>;

  constructor(database: Database<Buffer, string[]>, codec: Codec<T>) {
    this.#database = database;
    this.#codec = codec;
  }

  get(key: Key): T | undefined {
    const bytes = this.#database.get([...key]);
    return bytes === undefined ? undefined : this.#codec.decode(bytes);
  }

  has(key: Key): boolean {
    return this.#database.doesExist([...key]);
  }

  /** Precondition: inside a transaction. */
  put(key: Key, value: T): void {
    void this.#database.put([...key], Buffer.from(this.#codec.encode(value))); // Done when the transaction is.
  }

  /** Precondition: inside a transaction. */
  remove(key: Key): void {
    void this.#database.remove([...key]); // Done when the transaction is.
  }

  /** Everything whose key begins with `prefix`, in the order of the keys, as it is now. */
  list(prefix: Key = []): { readonly key: Key; readonly value: T }[] {
    const found: { key: Key; value: T }[] = [];
    for (const { key, value } of this.#database.getRange({ start: [...prefix] })) {
      if (prefix.some((part, index) => key[index] !== part)) break;
      found.push({ key, value: this.#codec.decode(value) });
    }
    return found;
  }
}

export class MetadataDatabase {
  readonly #root: RootDatabase<Buffer, string[]>;

  private constructor(root: RootDatabase<Buffer, string[]>) {
    this.#root = root;
  }

  static open(folder: string): MetadataDatabase {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    dropUnfinished(join(folder, 'meta.mdb'));
    const root = open<Buffer, string[]>({
      path: join(folder, 'meta.mdb'),
      noSubdir: true,
      encoding: 'binary',
      maxDbs: 16,
      overlappingSync: false,
      // One fsync a transaction instead of two: power loss may undo the last one, but never breaks the file.
      noMetaSync: true,
    });
    const database = new MetadataDatabase(root);
    database.#checkVersion();
    return database;
  }

  table<T>(name: string, codec: Codec<T>): Table<T> {
    return new Table(this.#root.openDB<Buffer, string[]>({ name, encoding: 'binary' }), codec);
  }

  /** All or nothing. `work` is synchronous: nothing else runs between its first read and its last write. */
  transaction<T>(work: () => T): T {
    return this.#root.transactionSync(work);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #checkVersion(): void {
    const versions = this.table('schema', jsonCodec<number>());
    const found = versions.get(['version']);
    if (found === SCHEMA_VERSION) return;
    if (found !== undefined) {
      throw new EngineError(
        'failed_precondition',
        `metadata has schema version ${found}, this containerd knows ${SCHEMA_VERSION}: move the root directory away, or run the containerd that wrote it`,
      );
    }
    this.transaction(() => versions.put(['version'], SCHEMA_VERSION));
  }
}

/** Where the first page says what it is, and how large pages are: `struct MDB_meta` in lmdb's mdb.c. */
const MAGIC = { at: 24, value: 0xbeefc0de } as const;
const PAGE_SIZE_AT = 48;
const HEAD_BYTES = 52;
const LEAST_PAGE_BYTES = 4096;

/**
 * Every lmdb file begins with two pages, written in one go when it is made. A kill in the middle of that leaves less:
 * nothing that anybody could have stored, but lmdb would read beyond its end and take us with it.
 */
const dropUnfinished = (path: string): void => {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined || size >= 2 * pageBytes(path)) return;
  for (const each of [path, `${path}-lock`]) rmSync(each, { force: true });
};

const pageBytes = (path: string): number => {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, HEAD_BYTES, 0);
  } finally {
    closeSync(file);
  }
  const isWhole = head.readUInt32LE(MAGIC.at) === MAGIC.value;
  return isWhole ? head.readUInt32LE(PAGE_SIZE_AT) : LEAST_PAGE_BYTES;
};

/** A copy of a message that the caller may change. */
export const copyOf = <D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): MessageShape<D> => fromBinary(schema, toBinary(schema, message));
