/**
 * Bytes that were taken out of a container's FIFO and are not all logged yet, in files named `<stream>.<offset>`.
 *
 * splice(2) moves bytes from the FIFO into the file in one system call, so whenever dockerd dies, each byte is in
 * exactly one place: still in the FIFO, or in the file. The size of the files IS the number of bytes consumed;
 * nothing else has to be written down, and nothing can disagree with it.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';

/** A file is followed by a new one when it has reached this size, and removed when all of it is logged. */
export const SPOOL_FILE_BYTES = 1024 * 1024;

/** native.splice: bytes moved, 0 at the end of the stream, null when there is nothing yet. */
export type Splice = (fromPipe: number, to: number, offset: number, limit: number) => number | null;

interface SpoolFile {
  readonly path: string;
  readonly base: number;
}

const FILE_NAME = /^(stdout|stderr)\.(\d+)$/;

export class Spool {
  readonly #directory: string;
  readonly #stream: StreamName;
  #files: SpoolFile[];
  #fd: number | null = null;
  #size = 0;

  constructor(directory: string, stream: StreamName) {
    this.#directory = directory;
    this.#stream = stream;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#files = readdirSync(directory)
      .map((name) => FILE_NAME.exec(name))
      .filter((match) => match?.[1] === stream)
      .map((match) => ({ path: join(directory, match?.[0] ?? ''), base: Number(match?.[2]) }))
      .sort((left, right) => left.base - right.base);
    const last = this.#files.at(-1);
    if (last) this.#size = statSync(last.path).size;
  }

  /** Bytes that have ever left the FIFO. */
  get consumed(): number {
    const last = this.#files.at(-1);
    return last ? last.base + this.#size : 0;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Begins at an offset when nothing is left from before. */
  startAt(offset: number): void {
    if (this.#files.length === 0) this.#open(offset);
  }

  /** Moves what is in the FIFO, at most `limit` bytes. Same answer as splice. */
  take(fifo: number, splice: Splice, limit: number): number | null {
    if (this.#fd === null || this.#size >= SPOOL_FILE_BYTES) this.#open(this.consumed);
    const fd = this.#fd;
    if (fd === null) return null;
    const moved = splice(fifo, fd, this.#size, limit);
    if (moved !== null) this.#size += moved;
    return moved;
  }

  /** Bytes from `offset`, at most `limit`; empty at `consumed`. Precondition: `offset` was not released. */
  read(offset: number, limit: number): Buffer {
    const file = this.#files.findLast(({ base }) => base <= offset);
    if (!file) return Buffer.alloc(0);
    const isCurrent = file === this.#files.at(-1) && this.#fd !== null;
    const fd = isCurrent && this.#fd !== null ? this.#fd : openSync(file.path, 'r');
    try {
      const size = isCurrent ? this.#size : fstatSync(fd).size;
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(limit, file.base + size - offset)));
      const read = readSync(fd, buffer, 0, buffer.length, offset - file.base);
      return buffer.subarray(0, read);
    } finally {
      if (!isCurrent) closeSync(fd);
    }
  }

  /** Everything below `offset` is safe in the log. True when a file was removed. */
  release(offset: number): boolean {
    let removed = false;
    for (;;) {
      const [first, second] = this.#files;
      if (!first || !second || second.base > offset) return removed;
      unlinkSync(first.path);
      this.#files.shift();
      removed = true;
    }
  }

  /** At the end of a run, when all is logged. */
  remove(): void {
    this.close();
    for (const { path } of this.#files) unlinkSync(path);
    this.#files = [];
    this.#size = 0;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #open(base: number): void {
    this.close();
    const last = this.#files.at(-1);
    if (last && this.#size < SPOOL_FILE_BYTES) {
      this.#fd = openSync(last.path, 'r+');
      return;
    }
    const path = join(this.#directory, `${this.#stream}.${base}`);
    this.#fd = openSync(path, 'w+', 0o600);
    this.#files.push({ path, base });
    this.#size = 0;
  }
}
