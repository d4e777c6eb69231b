/** Bytes between a client's FIFOs and a process, through the shim's pipes. The process is an ordinary one here. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  createWriteStream,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { native } from '../native/load.ts';
import { ContainerStdio } from './stdio.ts';

let directory: string;
let stdio: ContainerStdio | undefined;
let descriptorsBefore: number;
const children: ChildProcess[] = [];

const fifo = (name: string): string => join(directory, name);
const descriptors = (): number => readdirSync('/proc/self/fd').length;

beforeEach(() => {
  descriptorsBefore = descriptors();
  directory = mkdtempSync(join(tmpdir(), 'stdio-'));
  for (const name of ['stdin', 'stdout', 'stderr']) native.mkfifo(fifo(name), 0o600);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  stdio?.close();
  stdio = undefined;
  rmSync(directory, { recursive: true });
  await expect.poll(descriptors).toBe(descriptorsBefore);
});

const open = (paths: Partial<Record<'stdin' | 'stdout' | 'stderr', string>>): ContainerStdio =>
  (stdio = new ContainerStdio(
    native,
    {
      stdin: '',
      stdout: '',
      stderr: '',
      terminal: false,
      ...paths,
    },
    { namespace: 'moby', containerId: 'c1', uid: 0, gid: 0 },
  ));

/** Gives the container's ends to a process, then lets bytes move. */
const run = (held: ContainerStdio, command: string): ChildProcess => {
  const child = spawn('sh', ['-c', command], { stdio: [...held.containerFds] });
  children.push(child);
  held.start(null);
  return child;
};

/** A client's end, as dockerd opens it. */
const reader = (name: string): Socket =>
  new Socket({
    fd: openSync(fifo(name), constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
const all = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const readable = (fd: number): Promise<void> =>
  new Promise((resolve) => {
    const stop = native.watchReadable(fd, () => {
      stop();
      resolve();
    });
  });

describe('output', () => {
  it('arrives apart and ends with the process', async () => {
    const held = open({ stdout: fifo('stdout'), stderr: fifo('stderr') });
    const out = all(reader('stdout'));
    const err = all(reader('stderr'));
    run(held, 'printf out; printf err >&2; printf "\\0\\377" ');
    expect((await out).toString('latin1')).toBe('out\0\xff');
    expect((await err).toString()).toBe('err');
    await held.drained();
  });

  it('waits in full for a client that comes late, and holds up the process meanwhile', async () => {
    const held = open({ stdout: fifo('stdout') });
    const child = run(held, 'head -c 1000000 /dev/zero; echo done');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(child.exitCode).toBeNull();
    expect((await all(reader('stdout'))).length).toBe(1_000_005);
  });

  it('survives clients that die in the middle', async () => {
    const held = open({ stdout: fifo('stdout') });
    run(held, 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done');
    let text = '';
    for (let round = 0; round < 5; round += 1) {
      // One read of what is there, then the client is gone. What it has not read stays for the next.
      const client = openSync(fifo('stdout'), constants.O_RDONLY | constants.O_NONBLOCK);
      await readable(client);
      const chunk = Buffer.alloc(3000);
      text += chunk.toString('latin1', 0, readSync(client, chunk));
      closeSync(client);
    }
    text += (await all(reader('stdout'))).toString();
    expect(text).toBe(Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join(''));
  });

  it('is kept after the process has gone while no client was there', async () => {
    const held = open({ stdout: fifo('stdout') });
    const child = run(held, 'echo last words');
    await once(child, 'exit');
    await held.drained();
    // epoll tells nothing of an end that came before the client: whoever comes late has to read for it.
    const client = openSync(fifo('stdout'), constants.O_RDONLY | constants.O_NONBLOCK);
    const chunk = Buffer.alloc(100);
    expect(chunk.toString('latin1', 0, readSync(client, chunk))).toBe('last words\n');
    expect(readSync(client, chunk)).toBe(0);
    closeSync(client);
  });
});

describe('input', () => {
  it('goes through cat byte by byte, 100 MB', async () => {
    const held = open({ stdin: fifo('stdin'), stdout: fifo('stdout') });
    const block = randomBytes(1024 * 1024);
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let bytes = 0;
    const output = (async () => {
      for await (const chunk of reader('stdout') as AsyncIterable<Buffer>) {
        received.update(chunk);
        bytes += chunk.length;
      }
    })();
    const client = createWriteStream('', { fd: openSync(fifo('stdin'), constants.O_WRONLY) });
    run(held, 'exec cat');
    for (let count = 0; count < 100; count += 1) {
      sent.update(block);
      if (!client.write(block)) await once(client, 'drain');
    }
    client.end();
    await once(client, 'close');
    held.closeStdin();
    await output;
    expect(bytes).toBe(100 * 1024 * 1024);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('does not end when a client leaves, but when it is closed', async () => {
    const held = open({ stdin: fifo('stdin'), stdout: fifo('stdout') });
    const output = all(reader('stdout'));
    run(held, 'exec cat');
    for (const word of ['one ', 'two ', 'three']) {
      const client = createWriteStream('', { fd: openSync(fifo('stdin'), constants.O_WRONLY) });
      client.end(word);
      await once(client, 'close');
    }
    held.closeStdin();
    expect((await output).toString()).toBe('one two three');
  });

  it('stops without harm when the process does not want it', async () => {
    const held = open({ stdin: fifo('stdin') });
    const child = run(held, 'exit 3');
    await once(child, 'exit');
    const client = createWriteStream('', { fd: openSync(fifo('stdin'), constants.O_WRONLY) });
    client.end('nobody reads this');
    await once(client, 'close');
    held.closeStdin();
    expect(child.exitCode).toBe(3);
  });
});

describe('what is no fifo', () => {
  it('is refused and leaves nothing open', () => {
    expect(() => open({ stdout: fifo('missing') })).toThrow('no such file');
    expect(() => open({ stdin: fifo('stdin'), stdout: '/dev/null' })).toThrow('is not a fifo');
    for (const stderr of ['binary:///bin/true', 'http://x/y', 'file://relative'])
      expect(() => open({ stdin: fifo('stdin'), stderr })).toThrow(/stdi|stderr|STDIO/);
  });
});
