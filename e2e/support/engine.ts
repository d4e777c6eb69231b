/**
 * The engine under test, as seen from outside: a socket and what a supervisor would know about the daemons.
 * Two engines fill this in: ours, started by the lab, and Debian's real dockerd. The suite must hold for both,
 * which is how we know that its expectations are Docker's and not our own.
 */
import { watch } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

export type EngineKind = 'ours' | 'real';

/** What one test process tells another: plain data. */
export interface EngineAddress {
  readonly kind: EngineKind;
  /** Path of the Docker Engine API's socket. */
  readonly socket: string;
  /** Everything that this engine makes is below these. */
  readonly root: string;
  readonly cgroupParent: string;
}

export interface Engine extends EngineAddress {
  /** Ends the daemons and their containers, and removes what they made. */
  stop(): Promise<void>;
}

/** Resolves when somebody answers on the socket. Wakes up when the directory changes, or after 100 ms. */
export async function untilAnswers(socket: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await answers(socket))) {
    if (Date.now() > deadline) throw new Error(`nobody answers on ${socket}`);
    await directoryChange(dirname(socket), 100);
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket, () => client.write('GET /_ping HTTP/1.0\r\n\r\n'));
    client.once('data', (data) => {
      resolve(data.toString().startsWith('HTTP/1.') && data.includes(' 200 '));
      client.destroy();
    });
    client.once('error', () => resolve(false));
    client.once('close', () => resolve(false));
  });
}

function directoryChange(directory: string, orAfterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, orAfterMs);
    const watcher = watchIfThere(directory);
    watcher?.once('change', done);
    watcher?.once('error', done);
  });
}

function watchIfThere(directory: string) {
  try {
    return watch(directory);
  } catch {
    return undefined;
  }
}

/** Asks again until the answer is true; for things that the kernel does after it has answered, such as freeing a cgroup. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isTrue()) return;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
