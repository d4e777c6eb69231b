/** What the kernel says about a helper and the init that it clones. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import type { TinyStruct } from './tiny-plan.ts';
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
const EBADF = 9;
const EPROTO = 71;
const AT_FDCWD = -100;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-room-native-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const comm = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** A helper that has run a first step, and waits at a pipe until `release` is called. */
async function parked() {
  const [read, write] = native.pipe();
  const runc = spawnPlan(
    { parent: [{ call: 'getpid' }, { call: 'read', arguments: [5, Buffer.alloc(8), 1] }] },
    { extraFds: [read] },
  );
  native.close(read);
  await readable(runc.records);
  return { runc, release: () => native.close(write) };
}

describe('the helper', () => {
  test('is shown as runc, has no environment, and holds no descriptor of ours', async () => {
    const { runc, release } = await parked();

    const seen = {
      comm: comm(runc.pid),
      cmdline: readFileSync(`/proc/${runc.pid}/cmdline`, 'utf8'),
      environ: readFileSync(`/proc/${runc.pid}/environ`, 'utf8'),
      cwd: readlinkSync(`/proc/${runc.pid}/cwd`),
      descriptors: readdirSync(`/proc/${runc.pid}/fd`),
    };
    release();
    await waitFor(runc);
    native.close(runc.records);

    expect(seen).toEqual({
      comm: 'runc',
      cmdline: 'runc\0create\0test\0',
      environ: '',
      cwd: '/',
      descriptors: ['0', '1', '2', '4', '5'],
    });
  });

  test('is executed from a sealed memfd that nobody can overwrite (CVE-2019-5736)', async () => {
    const { runc, release } = await parked();
    const exe = `/proc/${runc.pid}/exe`;

    const target = readlinkSync(exe);
    const open = () => closeSync(openSync(exe, 'r+'));
    const read = openSync(exe, 'r');
    // Through a descriptor that could be had from /proc: even root may not write.
    const again = () => closeSync(openSync(`/proc/self/fd/${read}`, 'r+'));

    expect(target).toMatch(/^\/memfd:runc/);
    expect(open).toThrow(/ETXTBSY|EPERM/);
    expect(again).toThrow(/ETXTBSY|EPERM/);
    release();
    await waitFor(runc);
    native.close(runc.records);
    // The process is gone, so the text is busy no more; now only the seals hold.
    const write = openSync(`/proc/self/fd/${read}`, 'r+');
    expect(() => writeSync(write, 'overwritten')).toThrow(/EPERM/);
    closeSync(write);
    closeSync(read);
  });

  test('has default signal dispositions and an empty mask, whatever Node has set', async () => {
    const { runc, release } = await parked();

    const status = readFileSync(`/proc/${runc.pid}/status`, 'utf8');
    release();
    await waitFor(runc);
    native.close(runc.records);

    expect(/^SigBlk:\t0+$/m.test(status)).toBe(true);
    expect(/^SigIgn:\t0+$/m.test(status)).toBe(true);
  });

  test('writes one record per step, on one clock', async () => {
    const before = process.hrtime.bigint();
    const { records, exit, pid } = await runPlan({
      parent: [{ call: 'getpid' }, { call: 'getppid' }],
    });
    const after = process.hrtime.bigint();

    expect(exit).toEqual({ pid, code: 0, signal: 0 });
    expect(
      records.map(({ stage, index, result, errno }) => ({ stage, index, result, errno })),
    ).toEqual([
      { stage: 'parent', index: 0, result: pid, errno: 0 },
      { stage: 'parent', index: 1, result: process.pid, errno: 0 },
    ]);
    const times = [
      before,
      ...records.flatMap((record) => [record.beginMono, record.endMono]),
      after,
    ];
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
  });
});

describe('an error', () => {
  test('ends the plan, with its errno in the record', async () => {
    const { records, exit } = await runPlan({
      parent: [
        { call: 'openat', arguments: [AT_FDCWD, join(folder, 'absent'), 0, 0] },
        { call: 'getpid' },
      ],
    });

    expect(exit.code).toBe(1);
    expect(records).toMatchObject([{ index: 0, result: -1, errno: ENOENT }]);
  });

  test('that is on the ignore list is recorded and passed over', async () => {
    const { records, exit } = await runPlan({
      parent: [
        {
          call: 'openat',
          arguments: [AT_FDCWD, join(folder, 'absent'), 0, 0],
          ignore: [13, ENOENT],
        },
        { call: 'getpid' },
      ],
    });

    expect(exit.code).toBe(0);
    expect(records).toMatchObject([
      { index: 0, errno: ENOENT },
      { index: 1, errno: 0 },
    ]);
  });

  test('is also a result other than the expected one', async () => {
    const [read, write] = native.pipe();
    native.close(write);
    const { records, exit } = await runPlan(
      { parent: [{ call: 'read', arguments: [5, Buffer.alloc(8), 1], expect: 1 }] },
      { extraFds: [read] },
    );
    native.close(read);

    expect(exit.code).toBe(1);
    expect(records).toMatchObject([{ result: 0, errno: EPROTO }]);
  });

  test('is also an empty slot: no call is made with -1', async () => {
    const { records, exit } = await runPlan({
      parent: [{ call: 'kill', arguments: [{ slot: 3 }, 9] }],
    });

    expect(exit.code).toBe(1);
    expect(records).toMatchObject([{ result: -1, errno: EBADF }]);
  });
});

describe('guards', () => {
  const failing = {
    call: 'openat',
    arguments: [AT_FDCWD, '/absent', 0, 0],
    ignore: [ENOENT],
  } as const;

  test('an alternative runs only after the errno that it is for', async () => {
    const { records } = await runPlan({
      parent: [
        failing,
        { call: 'getpid', guard: { kind: 3, value: ENOENT } },
        { call: 'getpid', guard: { kind: 3, value: ENOENT } }, // the one before has succeeded
        failing,
        { call: 'getpid', guard: { kind: 3, value: 13 } },
        { call: 'getpid', guard: { kind: 3, value: ENOENT } }, // the one before was not run
      ],
    });

    expect(records.map((record) => record.index)).toEqual([0, 1, 3]);
  });

  test('a slot once filled: unlessFilled is passed over, ifFilled runs', async () => {
    const { records } = await runPlan({
      parent: [
        { call: 'getpid', guard: { kind: 2, value: 0 } },
        { ...failing, resultSlot: 0 },
        { call: 'getpid', guard: { kind: 1, value: 0 }, resultSlot: 0 },
        { call: 'getpid', guard: { kind: 1, value: 0 } },
        { call: 'getpid', guard: { kind: 2, value: 0 } },
      ],
    });

    expect(records.map((record) => record.index)).toEqual([1, 2, 4]);
  });
});

describe('arguments', () => {
  test('writeFile opens, writes and closes one file', async () => {
    const file = join(folder, 'memory.max');
    writeFileSync(file, '');

    const { records } = await runPlan({
      parent: [{ writeFile: { path: file, data: '67108864' } }],
    });

    expect(readFileSync(file, 'utf8')).toBe('67108864');
    expect(records).toMatchObject([{ result: 8, errno: 0 }]);
  });

  test('writeFile reports what the kernel says of a wrong value', async () => {
    const { records, exit } = await runPlan({
      parent: [{ writeFile: { path: '/proc/self/oom_score_adj', data: 'many' } }],
    });

    expect(exit.code).toBe(1);
    expect(records).toMatchObject([{ result: -1, errno: 22 }]);
  });

  test('pipe2 fills two slots, and later steps use them', async () => {
    const { records, exit } = await runPlan({
      parent: [
        { call: 'pipe2', arguments: [{ pair: [4, 9] }, 0] },
        { call: 'write', arguments: [{ slot: 9 }, 'hello', 5], expect: 5 },
        { call: 'read', arguments: [{ slot: 4 }, Buffer.alloc(16), 16], expect: 5 },
      ],
    });

    expect(records).toHaveLength(3);
    expect(exit.code).toBe(0);
  });

  test('fdPath is the path of a descriptor in /proc', async () => {
    const target = new Uint8Array(32);
    const { records } = await runPlan({
      parent: [
        { call: 'openat', arguments: [AT_FDCWD, folder, 0o200000, 0], resultSlot: 31 },
        { call: 'readlinkat', arguments: [AT_FDCWD, { fdPath: 31 }, target, 4096] },
      ],
    });

    // The link's length is that of the folder's name; the buffer is what lies behind it in the plan.
    expect(records.at(-1)).toMatchObject({ result: folder.length, errno: 0 });
  });

  test('a result longer than the plan ends at the end of the plan', async () => {
    const zero = openSync('/dev/zero', 'r');
    const { records, exit } = await runPlan(
      {
        parent: [
          { call: 'openat', arguments: [AT_FDCWD, '/absent', 0, 0], ignore: [ENOENT] },
          { call: 'read', arguments: [5, Buffer.alloc(8), 1 << 20] },
        ],
      },
      { extraFds: [zero] },
    );
    closeSync(zero);

    expect(exit).toMatchObject({ code: 0, signal: 0 });
    expect(records[1]?.result).toBeLessThan(1 << 20);
  });

  test('a descriptor travels in a message: pointers and slots are patched into msghdr', async () => {
    const [ours, theirs] = native.socketpair();
    const file = join(folder, 'sent');
    writeFileSync(file, 'through a socket');
    const iovec = Buffer.alloc(16);
    iovec.writeBigUInt64LE(1n, 8); // iov_len
    const control = Buffer.alloc(24);
    control.writeBigUInt64LE(20n, 0); // cmsg_len
    control.writeInt32LE(1, 8); // SOL_SOCKET
    control.writeInt32LE(1, 12); // SCM_RIGHTS
    const message = Buffer.alloc(56);
    message.writeBigUInt64LE(1n, 24); // msg_iovlen
    message.writeBigUInt64LE(24n, 40); // msg_controllen
    const msghdr: TinyStruct = {
      bytes: message,
      pointers: [
        { at: 16, to: { bytes: iovec, pointers: [{ at: 0, to: Buffer.from('!') }] } },
        { at: 32, to: { bytes: control, slots: [{ at: 16, slot: 7 }] } },
      ],
    };

    const { exit, records } = await runPlan(
      {
        parent: [
          { call: 'openat', arguments: [AT_FDCWD, file, 0, 0], resultSlot: 7 },
          { call: 'sendmsg', arguments: [5, msghdr, 0], expect: 1 },
        ],
      },
      { extraFds: [theirs] },
    );
    native.close(theirs);

    const received = native.receiveFd(ours, 1000);
    native.close(ours);

    expect(records.every((record) => record.errno === 0)).toBe(true);
    expect(exit.code).toBe(0);
    expect(received).not.toBeNull();
    expect(readFileSync(received ?? -1, 'utf8')).toBe('through a socket');
    native.close(received ?? -1);
  });
});

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

test('200 spawns leave no descriptor behind', async () => {
  await runPlan({ parent: [{ call: 'getpid' }] });
  const before = readdirSync('/proc/self/fd').length;

  for (let i = 0; i < 200; i++) {
    await runPlan({ parent: [{ call: 'getpid' }] });
    expect(() => spawnPlan({ parent: [] }, { cwd: '/absent' })).toThrow(/ENOENT.*chdir '\/absent'/);
  }

  expect(readdirSync('/proc/self/fd').length).toBe(before);
});
