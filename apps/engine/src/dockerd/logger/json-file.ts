/**
 * Docker's default logging driver: appends entries to `<id>-json.log`.
 * Upstream: moby daemon/logger/jsonfilelog.
 *
 * After a crash the file itself says how many bytes of each stream are safe: the sum over its entries. A checkpoint
 * (written when a spool file was removed) spares the sum over the part before it. A torn last line is cut off;
 * its bytes are still in the spool.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import { messageOf } from '../../protocol/errdefs.ts';
import { decodeEntry, encodeEntry, type LogEntry } from './log-entry.ts';
import { dropOld, rotate } from './log-files.ts';
import type { Rotation } from './log-options.ts';

export interface LoggedBytes {
  stdout: number;
  stderr: number;
}

interface Checkpoint extends LoggedBytes {
  readonly fileBytes: number;
  /** Which file the sums are about: a rotation may have come between it and us. */
  readonly inode?: number;
}

/** An entry as it will stand in the file. */
interface Line {
  readonly stream: StreamName;
  /** Of the stream. */
  readonly length: number;
  readonly encoded: Buffer;
}

const NEVER: Rotation = { maxBytes: Infinity, maxFiles: 1 };
const READ_BYTES = 256 * 1024;
/** More than any checkpoint has, and less than a disk writes at once. */
const CHECKPOINT_BYTES = 256;
const NEWLINE = 0x0a;
const RETRY_MS = 1000;

const readCheckpoint = (path: string): Checkpoint => {
  try {
    const checkpoint = JSON.parse(readFileSync(path, 'utf8')) as Checkpoint;
    const { fileBytes, stdout, stderr } = checkpoint;
    if ([fileBytes, stdout, stderr].every(Number.isSafeInteger)) return checkpoint;
  } catch {
    // No checkpoint yet: sum from the beginning.
  }
  return { fileBytes: 0, stdout: 0, stderr: 0 };
};

/**
 * Over what stands there, in one write(2) of the same length each time, which a SIGKILL does not cut in two. It happens
 * once for each megabyte; a new file under the old name would have ext4 flush it to the disk each time (`auto_da_alloc`).
 */
const writeInPlace = (path: string, text: string): void => {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(fd, text, 0);
  } finally {
    closeSync(fd);
  }
};

/** A rotation that a crash has cut short: what was written before it counts as well. */
const recover = (logPath: string, checkpoint: Checkpoint): Checkpoint => {
  const { inode } = checkpoint;
  const now = statSync(logPath, { throwIfNoEntry: false })?.ino;
  if (inode === undefined || now === inode) return sumBehind(logPath, checkpoint);
  const before = `${logPath}.1`;
  const isBefore = statSync(before, { throwIfNoEntry: false })?.ino === inode;
  const sum = isBefore ? sumBehind(before, checkpoint) : checkpoint;
  return sumBehind(logPath, { ...sum, fileBytes: 0 });
};

/** Sums the entries behind the checkpoint and cuts off a torn line. */
const sumBehind = (logPath: string, checkpoint: Checkpoint): Checkpoint => {
  const fd = openSync(logPath, 'a+', 0o640);
  try {
    const sum = { ...checkpoint };
    let wholeBytes = checkpoint.fileBytes;
    let rest = Buffer.alloc(0);
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const length = readSync(fd, chunk, 0, READ_BYTES, wholeBytes + rest.length);
      if (length === 0) break;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      let at = 0;
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, at)) {
        const entry = decodeEntry(rest.toString('utf8', at, end));
        if (entry) sum[entry.stream] += entry.bytes.length;
        at = end + 1;
      }
      wholeBytes += at;
      rest = rest.subarray(at);
    }
    if (rest.length > 0) ftruncateSync(fd, wholeBytes);
    return { ...sum, fileBytes: wholeBytes };
  } finally {
    closeSync(fd);
  }
};

export class JsonFile {
  readonly path: string;
  /** Bytes of each stream that are in the file. */
  readonly logged: LoggedBytes;
  readonly #checkpointPath: string;
  readonly #rotation: Rotation;
  #fileBytes: number;
  /** Null until something is to be written. Who forgets to close one makes V8's collector throw, in the middle of anything. */
  #handle: FileHandle | null = null;
  #pending: Line[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | null = null;
  #isGivingUp = false;
  #watchers = new Set<() => void>();

  constructor(path: string, checkpointPath: string, rotation: Rotation = NEVER) {
    this.path = path;
    this.#rotation = rotation;
    this.#checkpointPath = checkpointPath;
    const { fileBytes, stdout, stderr } = recover(path, readCheckpoint(checkpointPath));
    this.#fileBytes = fileBytes;
    this.logged = { stdout, stderr };
  }

  /** Bytes that wait for the disk: the caller pauses when there are many. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Encodes now: while the disk takes one batch, the next is made ready. */
  append(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const { stream, bytes } = entry;
      const encoded = encodeEntry(entry);
      this.#pending.push({ stream, length: bytes.length, encoded });
      this.#pendingBytes += bytes.length;
    }
    // What writes nothing would be over before it is noted here.
    if (this.#pending.length > 0) this.#writing ??= this.#write();
  }

  /** Resolves when all that was appended is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Calls back after each write. Returns the way to stop it. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** Remembers where we are, so that the next start need not sum the whole file. */
  saveCheckpoint(): void {
    const inode = statSync(this.path, { throwIfNoEntry: false })?.ino;
    const checkpoint: Checkpoint = {
      fileBytes: this.#fileBytes,
      ...this.logged,
      ...(inode === undefined ? {} : { inode }),
    };
    writeInPlace(this.#checkpointPath, JSON.stringify(checkpoint).padEnd(CHECKPOINT_BYTES));
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #write(): Promise<void> {
    // The sums change only after the entries are in the file.
    while (this.#pending.length > 0) {
      if (this.#fileBytes >= this.#rotation.maxBytes) await this.#rotate();
      const lines = this.#takePending();
      // None when it was given up.
      const size = (await this.#insist(() => this.#persist(lines))) ?? 0;
      this.#fileBytes += size;
      for (const { stream, length } of lines) {
        this.logged[stream] += length;
        this.#pendingBytes -= length;
      }
      for (const callback of this.#watchers) callback();
    }
    this.#writing = null;
  }

  /** As many as fit into the file, and at least one. */
  #takePending(): readonly Line[] {
    let room = this.#rotation.maxBytes - this.#fileBytes;
    const isFull = ({ encoded }: Line): boolean => (room -= encoded.length) <= 0;
    const last = this.#pending.findIndex(isFull);
    return this.#pending.splice(0, last < 0 ? this.#pending.length : last + 1);
  }

  /** At every moment of this either the old checkpoint and the old file are found, or the new one and no file yet. */
  async #rotate(): Promise<void> {
    const { maxFiles } = this.#rotation;
    const isDone = await this.#insist(async () => {
      await this.#closeFile();
      rotate(this.path, maxFiles);
      return true;
    });
    if (!isDone) return;
    this.#fileBytes = 0;
    await this.#insist(() => this.saveCheckpoint());
    if (maxFiles === 1) dropOld(this.path);
  }

  /** The container has ended: what a full disk does not take is not waited for any more. */
  giveUpOnFullDisk(): void {
    this.#isGivingUp = true;
  }

  /** How many bytes that are. */
  async #persist(lines: readonly Line[]): Promise<number> {
    const chunks = lines.map(({ encoded }) => encoded);
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#handle ??= await open(this.path, 'a', 0o640);
    try {
      const { bytesWritten } = await this.#handle.writev(chunks);
      if (bytesWritten < size) throw new Error(`the disk took ${bytesWritten} of ${size} bytes`);
      return size;
    } catch (error) {
      // Part of it may have been written.
      await this.#handle.truncate(this.#fileBytes).catch(() => undefined);
      throw error;
    }
  }

  /**
   * A full disk holds the container up (its FIFO fills) until there is room; nothing is thrown away.
   * Null: it was given up.
   */
  async #insist<T>(work: () => Promise<T> | T): Promise<T | null> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const then = this.#isGivingUp ? 'not logged' : 'trying again';
        process.stderr.write(`dockerd: ${this.path}: ${messageOf(error)}; ${then}\n`);
        if (this.#isGivingUp) return null;
        await setTimeout(RETRY_MS);
      }
    }
  }

  /** What a stream has logged, for a reader that waits for it. */
  loggedOf(stream: StreamName): number {
    return this.logged[stream];
  }
}
