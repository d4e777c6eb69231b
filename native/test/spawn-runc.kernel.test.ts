/** What the kernel says about the helper, as the addon spawns it. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { native } from './addon.ts';
import { readable, runPlan, spawnPlan, waitFor } from './run-plan.ts';

const comm = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

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

test('200 spawns leave no descriptor behind', async () => {
  await runPlan({ parent: [{ call: 'getpid' }] });
  const before = readdirSync('/proc/self/fd').length;

  for (let i = 0; i < 200; i++) {
    await runPlan({ parent: [{ call: 'getpid' }] });
    expect(() => spawnPlan({ parent: [] }, { cwd: '/absent' })).toThrow(/ENOENT.*chdir '\/absent'/);
  }

  expect(readdirSync('/proc/self/fd').length).toBe(before);
});
