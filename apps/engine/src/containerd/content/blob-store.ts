/**
 * Blobs on disk, named by their digest: `blobs/sha256/<hex>`.
 *
 * A blob is written into `ingest/<hash of its ref>/data`, hashed on the way, and appears under its name by one
 * rename after fsync. So whatever dies, and whenever: a name in `blobs/` is a whole and true blob.
 * An interrupted ingest stays and can be resumed under the same ref.
 * Upstream: containerd plugins/content/local. Labels live in the metadata database, not here.
 */
import { EventEmitter, once } from 'node:events';
import { createReadStream, rmSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import { hexOf, digestOf, isDigest, type Digest } from './digest.ts';
import { IngestWriter, readIngestStatus, type IngestStatus } from './ingest.ts';

export interface BlobStat {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface OpenIngest {
  /** The caller's name for what it writes; one writer at a time. */
  readonly ref: string;
  readonly totalBytes?: number;
  readonly expected?: Digest;
}

export class BlobStore {
  readonly #root: string;
  /** Refs that a writer holds right now. */
  readonly #writers = new Set<string>();
  /** Emits `ref:<ref>` when its writer lets go. */
  readonly #released = new EventEmitter().setMaxListeners(0);

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folders. Called once, before anything else. */
  async open(): Promise<void> {
    await mkdir(this.#blobs, { recursive: true, mode: 0o700 });
    await mkdir(this.#ingest, { recursive: true, mode: 0o700 });
  }

  async stat(digest: Digest): Promise<BlobStat> {
    try {
      const { size, mtimeMs } = await stat(this.pathOf(digest));
      return { digest, sizeBytes: size, modifiedAtMs: Math.floor(mtimeMs) };
    } catch (error) {
      throw notFound(digest, error);
    }
  }

  /** Without waiting, so that nothing else runs between this and what follows. Undefined when it is not there. */
  statNow(digest: Digest): BlobStat | undefined {
    const found = statSync(this.pathOf(digest), { throwIfNoEntry: false });
    return found && { digest, sizeBytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) };
  }

  async has(digest: Digest): Promise<boolean> {
    return stat(this.pathOf(digest)).then(
      () => true,
      () => false,
    );
  }

  async *list(): AsyncGenerator<BlobStat> {
    for (const name of (await readdir(this.#blobs)).sort()) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest)) continue;
      // It may be deleted while we walk.
      const found = await this.stat(digest).catch(() => undefined);
      if (found) yield found;
    }
  }

  /** The bytes from `offset` on, at most `sizeBytes`, in chunks of a size that fits a message. */
  async *read(digest: Digest, offset = 0, sizeBytes = Infinity): AsyncGenerator<Buffer> {
    const handle = await this.#open(digest);
    try {
      const end = sizeBytes === Infinity ? Infinity : offset + sizeBytes - 1;
      if (end < offset) return;
      const stream = createReadStream('', {
        fd: handle,
        start: offset,
        end,
        highWaterMark: READ_CHUNK_BYTES,
        autoClose: false,
      });
      for await (const chunk of stream) yield chunk as Buffer;
    } finally {
      await handle.close();
    }
  }

  /** Without waiting. Not made durable: bytes that come back after a power cut have no name, and the next start removes them. */
  deleteNow(digest: Digest): void {
    rmSync(this.pathOf(digest), { force: true });
  }

  /** Opens (or goes on with) the ingest of `ref`. The caller closes the writer. */
  async writer({ ref, totalBytes = 0, expected }: OpenIngest): Promise<IngestWriter> {
    if (ref === '')
      throw new EngineError('invalid_argument', 'ref must not be empty: invalid argument');
    if (expected && (await this.has(expected))) {
      throw new EngineError('already_exists', `content ${expected}: already exists`);
    }
    await this.#lock(ref);
    try {
      return await IngestWriter.open({
        ref,
        totalBytes,
        expected,
        folder: this.#ingestFolder(ref),
        publish: (digest) => this.pathOf(digest),
        release: () => this.#unlock(ref),
      });
    } catch (error) {
      this.#unlock(ref);
      throw error;
    }
  }

  /** A client that hangs up does not wait until we have noticed: a locked ref is worth a moment, as upstream. */
  async #lock(ref: string): Promise<void> {
    const patience = AbortSignal.timeout(LOCK_PATIENCE_MS);
    while (this.#writers.has(ref)) {
      await once(this.#released, `ref:${ref}`, { signal: patience }).catch((error: unknown) => {
        throw new EngineError('unavailable', `ref ${ref} locked: unavailable`, { cause: error });
      });
    }
    this.#writers.add(ref);
  }

  #unlock(ref: string): void {
    this.#writers.delete(ref);
    this.#released.emit(`ref:${ref}`);
  }

  async statuses(): Promise<IngestStatus[]> {
    const found: IngestStatus[] = [];
    for (const name of await readdir(this.#ingest)) {
      const status = await readIngestStatus(join(this.#ingest, name)).catch(() => undefined);
      if (status) found.push(status);
    }
    return found;
  }

  async status(ref: string): Promise<IngestStatus> {
    try {
      return await readIngestStatus(this.#ingestFolder(ref));
    } catch (error) {
      throw new EngineError('not_found', `reference ${ref}: not found`, { cause: error });
    }
  }

  /** Throws away what was written under `ref`. Who still writes there can no longer commit it, as upstream. */
  async abort(ref: string): Promise<void> {
    await this.status(ref);
    await rm(this.#ingestFolder(ref), { recursive: true, force: true });
  }

  /** A whole small blob (a manifest, a config). */
  async readAll(digest: Digest, limitBytes: number): Promise<Buffer> {
    const { sizeBytes } = await this.stat(digest);
    if (sizeBytes > limitBytes) {
      throw new EngineError(
        'invalid_argument',
        `content ${digest} is larger than ${limitBytes} bytes`,
      );
    }
    return readFile(this.pathOf(digest));
  }

  get #blobs(): string {
    return join(this.#root, 'blobs', 'sha256');
  }

  get #ingest(): string {
    return join(this.#root, 'ingest');
  }

  pathOf(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  /** A ref can be any text, so its hash names the folder. */
  #ingestFolder(ref: string): string {
    return join(this.#ingest, hexOf(digestOf(ref)));
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.pathOf(digest), 'r');
    } catch (error) {
      throw notFound(digest, error);
    }
  }
}

const READ_CHUNK_BYTES = 1 << 20;
const LOCK_PATIENCE_MS = 1000;

const notFound = (digest: Digest, cause: unknown): EngineError =>
  new EngineError('not_found', `content ${digest}: not found`, { cause });
