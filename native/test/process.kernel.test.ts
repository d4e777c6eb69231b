/** Daemons, pidfds and children, as the kernel sees them. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import { readAll, readable, spawnPlan, waitFor } from './run-plan.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-room-native-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function status(pid: number, field: string): number {
  return Number(
    new RegExp(`^${field}:\\t(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
  );
}

describe('spawnDetached', () => {
  test('starts a session of its own under another parent, with nothing of ours but what it is handed', async () => {
    const log = join(folder, 'log');
    const [read, write] = native.pipe();
    const [ready, readyWrite] = native.pipe();

    const pid = native.spawnDetached({
      file: '/bin/bash',
      argv: ['daemon', '-c', 'echo "$NAME"; echo error >&2; echo ready >&4; read -u 3 line'],
      env: { NAME: 'its own', PATH: '/bin' },
      cwd: folder,
      extraFds: [read, readyWrite],
      log,
    });
    native.close(read);
    native.close(readyWrite);
    await readable(ready);
    const pidfd = native.pidfdOpen(pid);
    const seen = {
      isOurChild: status(pid, 'PPid') === process.pid,
      session: Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]),
      input: readlinkSync(`/proc/${pid}/fd/0`),
      cwd: readlinkSync(`/proc/${pid}/cwd`),
      environ: readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean),
      // Above 9, bash keeps copies of what it redirects.
      descriptors: readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) < 10),
    };
    native.close(write); // its `read` comes back
    await readable(pidfd);
    native.close(pidfd);
    native.close(ready);

    expect(seen).toEqual({
      isOurChild: false,
      session: pid,
      input: '/dev/null',
      cwd: folder,
      environ: ['NAME=its own', 'PATH=/bin'],
      descriptors: ['0', '1', '2', '3', '4'],
    });
    expect(readFileSync(log, 'utf8')).toBe('its own\nerror\n');
  });

  test('says which call failed, and leaves no child', () => {
    const spawnAbsent = () =>
      native.spawnDetached({ file: '/absent', argv: ['absent'], env: {}, cwd: '/' });

    expect(spawnAbsent).toThrow(
      expect.objectContaining({ code: 'ENOENT', errno: 2, syscall: 'execve', path: '/absent' }),
    );
    expect(native.peekExitedChild()).toBeNull();
  });
});

describe('children', () => {
  test('reap: null while it lives, then its exit code once, then ECHILD', async () => {
    const [read, write] = native.pipe();
    const runc = spawnPlan(
      { parent: [{ call: 'read', arguments: [5, Buffer.alloc(1), 1] }] },
      { extraFds: [read] },
    );
    native.close(read);

    const alive = native.reap(runc.pid);
    native.close(write);
    await readable(runc.pidfd);
    const peeked = native.peekExitedChild();
    const dead = native.reap(runc.pid);

    expect([alive, peeked, dead]).toEqual([null, runc.pid, { pid: runc.pid, code: 0, signal: 0 }]);
    expect(() => native.reap(runc.pid)).toThrow(
      expect.objectContaining({ code: 'ECHILD', syscall: 'wait4' }),
    );
    native.close(runc.pidfd);
    native.close(runc.records);
  });

  test('a signal through a pidfd ends a process with 128 + signal', async () => {
    const [read, write] = native.pipe();
    const runc = spawnPlan(
      { parent: [{ call: 'read', arguments: [5, Buffer.alloc(1), 1] }] },
      { extraFds: [read] },
    );

    native.pidfdSendSignal(runc.pidfd, 9);

    expect(await waitFor(runc)).toEqual({ pid: runc.pid, code: 137, signal: 9 });
    for (const fd of [read, write, runc.records]) native.close(fd);
  });

  test("libuv's own children are reaped by libuv, between ours", async () => {
    const child = spawn('/bin/sh', ['-c', 'exit 7']);
    const runc = spawnPlan({ parent: [{ call: 'getpid' }] });

    const [[code], ours] = await Promise.all([once(child, 'exit'), waitFor(runc)]);

    expect(code).toBe(7);
    expect(ours.code).toBe(0);
    native.close(runc.records);
  });
});

describe('watchReadable', () => {
  test('calls back when a process ends, in the context of the caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const child = spawn('/bin/sleep', ['60']);
    const pidfd = native.pidfdOpen(child.pid ?? -1);

    const context = await new Promise((resolve) => {
      storage.run('of the caller', () => {
        const stop = native.watchReadable(pidfd, () => {
          stop();
          resolve(storage.getStore());
        });
      });
      child.kill('SIGKILL');
    });

    expect(context).toBe('of the caller');
    native.close(pidfd);
  });

  test('reports the end of a FIFO whose writers are gone', async () => {
    const fifo = join(folder, 'fifo');
    native.mkfifo(fifo, 0o600);
    const read = native.open(fifo, 0o4000); // O_RDONLY | O_NONBLOCK
    const write = openSync(fifo, 'w');
    const all = readAll(read);

    closeSync(write);

    expect(await all).toHaveLength(0);
    native.close(read);
  });

  test('refuses a file on disk, which is always readable', () => {
    const file = openSync('/etc/passwd', 'r');

    expect(() => native.watchReadable(file, () => undefined)).toThrow(
      expect.objectContaining({ code: 'EPERM' }),
    );

    closeSync(file);
  });

  test('stops at once and may be stopped again', async () => {
    const [read, write] = native.pipe();
    let calls = 0;
    const stop = native.watchReadable(read, () => {
      calls += 1;
    });

    native.close(write);
    stop();
    stop();
    await new Promise(setImmediate);
    await new Promise(setImmediate);

    expect(calls).toBe(0);
    native.close(read);
  });

  test('of a hang-up: what lies in the pipe wakes nobody, the last writer that goes does', async () => {
    const [read, write] = native.pipe();
    writeSync(write, 'something');
    const seen: string[] = [];
    const stop = native.watchHangUp(read, () => seen.push('hang-up'));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(seen).toEqual([]);

    native.close(write);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    stop();

    expect(seen[0]).toBe('hang-up');
    native.close(read);
  });

  test('keeps the process alive until it is stopped, and reports what its callback throws', async () => {
    const script = `
      const addon = require(process.argv[1]);
      const [read, write] = addon.pipe();
      process.on('uncaughtException', (error) => console.log(error.message));
      const stop = addon.watchReadable(read, () => { stop(); throw new Error('thrown in the callback'); });
      addon.spawnDetached({ file: '/bin/sleep', argv: ['sleep', '0.1'], env: {}, cwd: '/', extraFds: [write] });
      addon.close(write);
    `;
    const child = spawn(process.execPath, [
      '-e',
      script,
      join(import.meta.dirname, '../build/engine-room.node'),
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });

    const [code] = await once(child, 'close');

    expect(output).toBe('thrown in the callback\n');
    expect(code).toBe(0);
  });
});
