/** What a test asks of the machine: processes, sockets, FIFOs, directories. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** All that comes out of a FIFO until its writers are gone. Opens it at once, before anybody writes. */
export const collect = async (path: string): Promise<Buffer> => {
  const stream = new Socket({
    fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

export const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** For what no event tells: processes that are not our children, files of the kernel. */
export const until = async (isTrue: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 15_000; !isTrue();) {
    if (Date.now() > deadline) throw new Error(`still not: ${isTrue.toString()}`);
    await sleep(10);
  }
};

export const connectWhenReady = async (path: string): Promise<Socket> => {
  await until(() => existsSync(path));
  for (const deadline = Date.now() + 15_000; ;) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      // Its name is there from bind(2) on, it takes callers from listen(2) on.
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
};

export const readJson = async <T>(socket: Socket): Promise<T> => {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return JSON.parse(chunk.toString()) as T;
};

export const directoryEntries = (path: string): string[] =>
  existsSync(path) ? readdirSync(path) : [];
export const directoriesIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];

/** A root filesystem with busybox in it. */
export const furnish = (root: string): void => {
  for (const folder of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
    mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  const { stdout } = spawnSync('/bin/busybox', ['--list'], { encoding: 'utf8' });
  for (const name of stdout.split('\n').filter((name) => name !== '' && name !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', name));
};
