/** Errors, guards and arguments: each rule of plan.h, with calls that the kernel answers. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import { runPlan } from './run-plan.ts';
import type { TinyStruct } from './tiny-plan.ts';

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
