/** What the kernel says about the init that a plan clones. */
import { readFileSync, readlinkSync, readSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import {
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  forkInit,
  outputOfPlan,
  parseRecords,
  readAll,
  readable,
  runPlan,
  spawnPlan,
  waitFor,
} from './run-plan.ts';

const ENOENT = 2;
const AT_FDCWD = -100;

const comm = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('init', () => {
  beforeAll(() => {
    native.setChildSubreaper(); // so that init becomes ours when runc leaves, as it becomes the shim's
  });

  test('runs in the namespaces that clone3 was asked for, as pid 1, under its own name', async () => {
    const [read, write] = native.pipe();
    const runc = spawnPlan(
      {
        parent: [forkInit(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET)],
        init: [
          { call: 'sethostname', arguments: ['inside', 6] },
          { call: 'read', arguments: [5, Buffer.alloc(8), 1] },
        ],
      },
      { extraFds: [read] },
    );
    native.close(read);
    const parent = await waitFor(runc);
    const first = Buffer.alloc(96);
    // Both records are there once init waits at its pipe: clone3's, and sethostname's.
    let filled = 0;
    while (filled < 96) {
      await readable(runc.records);
      filled += readSync(runc.records, first, filled, 96 - filled, null);
    }
    const records = parseRecords(first);
    const init = records.find((record) => record.stage === 'parent')?.result ?? -1;

    const differs = ['pid', 'mnt', 'uts', 'net', 'ipc'].map(
      (name) => readlinkSync(`/proc/${init}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`),
    );
    const name = comm(init);
    const adopter = parentOf(init);

    expect(parent.code).toBe(0);
    expect(differs).toEqual([true, true, true, true, false]);
    expect(name).toBe('runc:[init]');
    expect(adopter).toBe(process.pid);
    expect(records.find((record) => record.stage === 'init')).toMatchObject({
      index: 0,
      pid: 1,
      errno: 0,
    });

    const pidfd = native.pidfdOpen(init);
    native.close(write);
    expect(await waitFor({ pid: init, pidfd })).toEqual({ pid: init, code: 0, signal: 0 });
    native.close(runc.records);
  });

  test('becomes the program: execve closes the record pipe and leaves no record', async () => {
    const [read, write] = native.pipe();
    const argv = Buffer.alloc(24);
    const runc = spawnPlan(
      {
        parent: [forkInit(0)],
        init: [
          {
            call: 'execve',
            arguments: [
              '/bin/cat',
              { bytes: argv, pointers: [{ at: 0, to: Buffer.from('cat\0') }] },
              Buffer.alloc(8),
            ],
          },
        ],
      },
      { stdio: [read, write, write] },
    );
    native.close(read);

    const records = parseRecords(await readAll(runc.records)); // ends although cat lives
    const init = records[0]?.result ?? -1;
    await waitFor(runc);

    expect(records).toMatchObject([{ stage: 'parent', index: 0 }]);
    expect(readlinkSync(`/proc/${init}/exe`)).toMatch(/\/cat$/);
    const pidfd = native.pidfdOpen(init);
    native.pidfdSendSignal(pidfd, 9);
    native.close(runc.records);
    native.close(write);
    if (parentOf(init) === process.pid)
      expect(await waitFor({ pid: init, pidfd })).toMatchObject({ signal: 9 });
  });

  test('records why execve failed, and exits', async () => {
    const { records } = await runPlan({
      parent: [forkInit(0)],
      init: [{ call: 'execve', arguments: ['/absent', Buffer.alloc(8), Buffer.alloc(8)] }],
    });

    expect(records.find((record) => record.stage === 'init')).toMatchObject({
      index: 0,
      errno: ENOENT,
    });
  });

  test('dies with a parent whose plan fails', async () => {
    const { records, exit } = await runPlan({
      parent: [
        { call: 'pipe2', arguments: [{ pair: [0, 1] }, 0] },
        forkInit(CLONE_NEWPID),
        { call: 'openat', arguments: [AT_FDCWD, '/absent', 0, 0] },
      ],
      // It holds the write end itself, so that no end of file would ever wake it.
      init: [{ call: 'read', arguments: [{ slot: 0 }, Buffer.alloc(8), 1], expect: 1 }],
    });

    // That runPlan came back is the proof: the record pipe was closed by the last process that held it.
    expect(exit.code).toBe(1);
    expect(records.filter((record) => record.stage === 'parent')).toMatchObject([
      { index: 0 },
      { index: 1 },
      { index: 2, errno: ENOENT },
    ]);
  });

  test('goes on when nobody reads its records any more', async () => {
    const argv = Buffer.alloc(24);
    const output = await outputOfPlan({
      parent: [forkInit(0)],
      init: [
        { call: 'getpid' },
        {
          call: 'execve',
          arguments: [
            '/bin/echo',
            { bytes: argv, pointers: [{ at: 0, to: Buffer.from('echo\0') }] },
            Buffer.alloc(8),
          ],
        },
      ],
    });

    expect(output).toBe('\n');
  });
});
