/** Where the output of a container is written down: `json-file`, `local`, or nowhere. Upstream: moby daemon/logger. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import { JsonFile } from './json-file.ts';
import type { LogEntry } from './log-entry.ts';
import { parseLogOptions } from './log-options.ts';
import { Spool } from './spool.ts';

/** What a pump needs of it. */
export interface ContainerLog {
  /** Bytes that wait for the disk: the caller pauses when there are many. */
  readonly pendingBytes: number;
  append(entries: readonly LogEntry[]): void;
  /** Resolves when all that was appended is written down. */
  flush(): Promise<void>;
  /** Calls back after each write. Returns the way to stop it. */
  watch(callback: () => void): () => void;
  /** How many bytes of the stream need not be kept any more. */
  loggedOf(stream: StreamName): number;
  saveCheckpoint(): void;
  giveUpOnFullDisk(): void;
  close(): Promise<void>;
}

/** Null where nothing is written. What `local` writes is nobody else's business; here it is what json-file writes. */
export const logFile = (
  { Type }: HostConfig['LogConfig'],
  directory: string,
  id: string,
): string | null => {
  if (Type === 'none') return null;
  return join(directory, Type === 'local' ? 'local-logs/container.log' : `${id}-json.log`);
};

export const openLog = (
  { Type, Config }: HostConfig['LogConfig'],
  {
    directory,
    id,
    spool,
  }: { readonly directory: string; readonly id: string; readonly spool: string },
): ContainerLog => {
  const path = logFile({ Type, Config }, directory, id);
  if (path === null) return new NoLog(spool);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return new JsonFile(path, join(directory, 'log-checkpoint.json'), parseLogOptions(Type, Config));
};

/** `--log-driver none`: what clients that are attached have been given is done with. */
class NoLog implements ContainerLog {
  readonly pendingBytes = 0;
  /** What an earlier dockerd has taken out of the FIFOs was for its clients, who have gone with it. */
  readonly #passed: Record<StreamName, number>;
  readonly #watchers = new Set<() => void>();
  #isTelling = false;

  constructor(spool: string) {
    const consumed = (stream: StreamName): number => new Spool(spool, stream).consumed;
    this.#passed = { stdout: consumed('stdout'), stderr: consumed('stderr') };
  }

  append(entries: readonly LogEntry[]): void {
    for (const { stream, bytes } of entries) this.#passed[stream] += bytes.length;
    if (this.#isTelling) return;
    this.#isTelling = true;
    // Not now: the pump is in the middle of its turn.
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const callback of this.#watchers) callback();
    });
  }

  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  loggedOf(stream: StreamName): number {
    return this.#passed[stream];
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  saveCheckpoint(): void {}

  giveUpOnFullDisk(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
