/**
 * One blob on its way into the store: `ingest/<hash>/{ref,data,startedat,updatedat,total}`.
 * Upstream: containerd plugins/content/local/writer.go.
 */
import type { Hash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import {
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import { nowMs } from '../clock.ts';
import { finishDigest, startDigest, type Digest } from './digest.ts';

export interface IngestStatus {
  readonly ref: string;
  readonly offset: number;
  readonly totalBytes: number;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

interface IngestOptions {
  readonly ref: string;
  readonly totalBytes: number;
  readonly expected: Digest | undefined;
  readonly folder: string;
  /** Where a blob of that digest belongs. */
  readonly publish: (digest: Digest) => string;
  /** Gives the ref back. */
  readonly release: () => void;
}

export class IngestWriter {
  readonly ref: string;
  readonly #options: IngestOptions;
  readonly #file: FileHandle;
  readonly #startedAtMs: number;
  #hash: Hash;
  #offset: number;
  #updatedAtMs: number;
  #closed = false;

  private constructor(
    options: IngestOptions,
    file: FileHandle,
    {
      hash,
      offset,
      startedAtMs,
      updatedAtMs,
    }: { hash: Hash; offset: number; startedAtMs: number; updatedAtMs: number },
  ) {
    this.ref = options.ref;
    this.#options = options;
    this.#file = file;
    this.#hash = hash;
    this.#offset = offset;
    this.#startedAtMs = startedAtMs;
    this.#updatedAtMs = updatedAtMs;
  }

  /** Resumes what an earlier writer of the same ref left behind: its bytes are hashed again, never believed. */
  static async open(options: IngestOptions): Promise<IngestWriter> {
    const { folder, ref, totalBytes } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const earlier = await readIngestStatus(folder).catch(() => undefined);
    if (earlier && totalBytes > 0 && earlier.totalBytes > 0 && earlier.totalBytes !== totalBytes) {
      throw new EngineError(
        'invalid_argument',
        `provided total differs from status: ${totalBytes} != ${earlier.totalBytes}`,
      );
    }
    const startedAtMs = earlier?.startedAtMs ?? nowMs();
    const updatedAtMs = earlier?.updatedAtMs ?? startedAtMs;
    if (!earlier) {
      await writeFile(join(folder, 'startedat'), String(startedAtMs));
      await writeFile(join(folder, 'total'), String(totalBytes));
      await writeFile(join(folder, 'ref'), ref);
    }
    const file = await open(join(folder, 'data'), 'a', 0o600);
    try {
      const { hash, offset } = await hashOf(join(folder, 'data'), earlier?.offset ?? 0);
      return new IngestWriter(options, file, { hash, offset, startedAtMs, updatedAtMs });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  status(): IngestStatus {
    return {
      ref: this.ref,
      offset: this.#offset,
      totalBytes: this.#options.totalBytes,
      startedAtMs: this.#startedAtMs,
      updatedAtMs: this.#updatedAtMs,
    };
  }

  /** Of what was written so far. */
  digest(): Digest {
    return finishDigest(this.#hash);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { totalBytes } = this.#options;
    if (totalBytes > 0 && this.#offset + bytes.length > totalBytes) {
      throw new EngineError(
        'failed_precondition',
        `"${this.ref}" is longer than its declared ${totalBytes} bytes`,
      );
    }
    await this.#file.appendFile(bytes);
    this.#hash.update(bytes);
    this.#offset += bytes.length;
    this.#updatedAtMs = nowMs();
  }

  /** Starts again from the beginning; nothing else can be hashed backwards. */
  async truncate(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = startDigest();
    this.#offset = 0;
  }

  /**
   * Makes the blob visible under its digest, or refuses.
   * Postcondition: the bytes and the name are on disk, or nothing can be seen of them.
   */
  async commit(sizeBytes: number, expected: Digest | undefined): Promise<Digest> {
    if (this.#closed)
      throw new EngineError(
        'failed_precondition',
        'cannot commit on closed writer: failed precondition',
      );
    const wanted = expected ?? this.#options.expected;
    if (sizeBytes > 0 && sizeBytes !== this.#offset) {
      throw new EngineError(
        'failed_precondition',
        `unexpected commit size ${this.#offset}, expected ${sizeBytes}: failed precondition`,
      );
    }
    const digest = this.digest();
    if (wanted && wanted !== digest) {
      throw new EngineError(
        'failed_precondition',
        `unexpected commit digest ${digest}, expected ${wanted}: failed precondition`,
      );
    }
    const target = this.#options.publish(digest);
    const exists = await stat(target).then(
      () => true,
      () => false,
    );
    if (!exists) {
      await this.#file.chmod(0o444);
      await this.#file.sync();
      await rename(join(this.#options.folder, 'data'), target);
      await syncFolder(dirname(target));
    }
    // In this order: the next writer of the ref makes the folder anew.
    await rm(this.#options.folder, { recursive: true, force: true });
    await this.close();
    if (exists) throw new EngineError('already_exists', `content ${digest}: already exists`);
    return digest;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The file's own time is as coarse as the kernel's clock. Nobody misses it when the folder has gone.
    try {
      writeFileSync(join(this.#options.folder, 'updatedat'), String(this.#updatedAtMs));
    } catch {
      // Committed, or aborted.
    }
    this.#options.release();
    await this.#file.close();
  }
}

export const readIngestStatus = async (folder: string): Promise<IngestStatus> => {
  const ref = await readFile(join(folder, 'ref'), 'utf8');
  const { size, mtimeMs } = await stat(join(folder, 'data'));
  const closedAt = await readFile(join(folder, 'updatedat'), 'utf8').catch(() => '0');
  return {
    ref,
    offset: size,
    totalBytes: Number(await readFile(join(folder, 'total'), 'utf8')),
    startedAtMs: Number(await readFile(join(folder, 'startedat'), 'utf8')),
    updatedAtMs: Math.max(mtimeMs, Number(closedAt)),
  };
};

/** Of what an earlier writer has left, if it has left anything. */
const hashOf = async (
  path: string,
  leftBytes: number,
): Promise<{ readonly hash: Hash; readonly offset: number }> => {
  const hash = startDigest();
  if (leftBytes === 0) return { hash, offset: 0 };
  let offset = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    offset += (chunk as Buffer).length;
  }
  return { hash, offset };
};

/** A rename is durable once its folder is on disk. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};
