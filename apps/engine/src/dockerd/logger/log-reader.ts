/**
 * `docker logs`: reads the files of a log, from its end when a tail is wanted, and waits for more when following.
 * Upstream: moby daemon/logger/loggerutils/logfile.go.
 */
import type { FileHandle } from 'node:fs/promises';
import { decodeEntry, type LogEntry } from './log-entry.ts';
import { openGenerations, successorOf, type Generation } from './log-files.ts';

export interface LogQuery {
  /** The last so many entries; null for all. */
  readonly tail: number | null;
  /** Seconds since 1970, as in the API; 0 for no bound. */
  readonly since: number;
  readonly until: number;
}

export interface LogFollower {
  /** True as long as entries may still come. */
  isOpen(): boolean;
  /** Calls back when the log has grown or `isOpen` has changed. Returns the way to stop it. */
  watch(callback: () => void): () => void;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Where the last `count` lines of a file begin, and how many there are. */
const tailOf = async (
  file: FileHandle,
  count: number,
): Promise<{ readonly offset: number; readonly lines: number }> => {
  const { size } = await file.stat();
  if (count === 0) return { offset: size, lines: 0 };
  let lines = 0;
  let at = size;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  while (at > 0) {
    const length = Math.min(CHUNK_BYTES, at);
    at -= length;
    await file.read(chunk, 0, length, at);
    for (let index = length - 1; index >= 0; index--) {
      if (chunk[index] !== NEWLINE) continue;
      // The newline that ends the line before the first wanted one.
      if (lines === count) return { offset: at + index + 1, lines };
      lines += 1;
    }
  }
  return { offset: 0, lines };
};

/** Where to begin: which files are passed over, and the place in the first one that is not. */
const beginning = async (
  generations: readonly Generation[],
  tail: number | null,
): Promise<{ readonly index: number; readonly offset: number }> => {
  if (tail === null) return { index: 0, offset: 0 };
  let missing = tail;
  for (let index = generations.length - 1; index >= 0; index--) {
    const generation = generations[index];
    if (!generation) break;
    const { offset, lines } = await tailOf(generation.file, missing);
    missing -= lines;
    if (missing <= 0 || index === 0) return { index, offset };
  }
  return { index: 0, offset: 0 };
};

const isWanted = ({ time }: LogEntry, { since, until }: LogQuery): boolean => {
  if (since === 0 && until === 0) return true;
  const seconds = Date.parse(time) / 1000;
  return seconds >= since && (until === 0 || seconds <= until);
};

/** Resolves when the follower calls back, or when the client is gone. */
const nextChange = (follower: LogFollower, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = follower.watch(done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });

export async function* readLog(
  path: string,
  query: LogQuery,
  follower: LogFollower | null,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  const pending = await openGenerations(path);
  try {
    const { index, offset } = await beginning(pending, query.tail);
    for (const { file } of pending.splice(0, index)) await file.close();
    let at = offset;
    for (let current = pending[0]; current; current = pending[0], at = 0) {
      const isNewest = pending.length === 1;
      yield* readFile(current, at, {
        path,
        query,
        follower: isNewest ? follower : null,
        signal,
        // Among the others at once: whoever reads may leave at any moment.
        onSuccessor: (successor) => pending.push(successor),
      });
      await pending.shift()?.file.close();
    }
  } finally {
    for (const { file } of pending) await file.close();
  }
}

interface Reading {
  readonly path: string;
  readonly query: LogQuery;
  readonly follower: LogFollower | null;
  readonly signal: AbortSignal;
  readonly onSuccessor: (successor: Generation) => void;
}

/** To the end of the file; when following, until there is a file that comes after it. */
async function* readFile(
  { file, inode }: Generation,
  from: number,
  { path, query, follower, signal, onSuccessor }: Reading,
): AsyncGenerator<LogEntry> {
  let at = from;
  let rest = Buffer.alloc(0);
  let hasSuccessor = false;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  while (!signal.aborted) {
    // Asked before reading: what is written in between is found by one more read.
    const mayGrow = !hasSuccessor && (follower?.isOpen() ?? false);
    const changed = mayGrow && follower ? nextChange(follower, signal) : null;
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) {
      if (hasSuccessor || !follower) return;
      const successor = await successorOf(path, inode);
      if (successor) {
        // Nothing more is written here: one more read, and that was all.
        hasSuccessor = true;
        onSuccessor(successor);
        continue;
      }
      if (!changed) return;
      await changed;
      continue;
    }
    at += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, start)) {
      const entry = decodeEntry(rest.toString('utf8', start, end));
      start = end + 1;
      if (entry && isWanted(entry, query)) yield entry;
    }
    rest = Buffer.from(rest.subarray(start));
  }
}
