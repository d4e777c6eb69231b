/**
 * `docker logs`: reads a `<id>-json.log`, from its end when a tail is wanted, and waits for more when following.
 * Upstream: moby daemon/logger/loggerutils/logfile.go.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { decodeEntry, type LogEntry } from './log-entry.ts';

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
  /** Calls back when the file has grown or `isOpen` has changed. Returns the way to stop it. */
  watch(callback: () => void): () => void;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Where the last `count` lines begin. */
const tailOffset = async (file: FileHandle, count: number): Promise<number> => {
  const { size } = await file.stat();
  if (count === 0) return size;
  let lines = 0;
  let at = size;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  while (at > 0) {
    const length = Math.min(CHUNK_BYTES, at);
    at -= length;
    await file.read(chunk, 0, length, at);
    for (let index = length - 1; index >= 0; index--) {
      if (chunk[index] !== NEWLINE) continue;
      lines += 1;
      // The newline that ends the line before the first wanted one.
      if (lines === count + 1) return at + index + 1;
    }
  }
  return 0;
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
  const file = await open(path, 'r').catch(() => null);
  if (!file) return;
  try {
    let at = query.tail === null ? 0 : await tailOffset(file, query.tail);
    let rest = Buffer.alloc(0);
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    while (!signal.aborted) {
      // Asked before reading: what is written in between is found by one more read.
      const mayGrow = follower?.isOpen() ?? false;
      const changed = mayGrow && follower ? nextChange(follower, signal) : null;
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) {
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
  } finally {
    await file.close();
  }
}
