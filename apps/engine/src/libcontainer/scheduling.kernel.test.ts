/** Scheduler, I/O priority and personality, as the kernel and the program itself see them. */
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Bench } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

test('the program has the policy, niceness and I/O priority that config.json names', async () => {
  const bundle = bench.bundle(['sh', '-c', 'ionice -p 1 >/out'], {
    process: {
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 3 },
    },
  });
  const created = await bench.create(bundle);
  const stat = readFileSync(`/proc/${created.pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

  // proc_pid_stat(5): fields 19 (nice) and 41 (policy), counted from the state as the third.
  expect(fields[16]).toBe('5');
  expect(fields[38]).toBe('3');

  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await exited;
  expect(readFileSync(`${bundle.rootfs}/out`, 'utf8')).toBe('best-effort: prio 3\n');
});

test('a program with the personality LINUX32 takes the machine for one of 32 bits', async () => {
  const plain = await bench.run(['uname', '-m']);
  const small = await bench.run(['uname', '-m'], { linux: { personality: { domain: 'LINUX32' } } });

  expect(small.output).not.toBe(plain.output);
});

test('what would be dropped without a word is refused before anything is made', async () => {
  const refused = (changes: Parameters<Bench['bundle']>[1]): Promise<unknown> =>
    bench.create(bench.bundle(['true'], changes));

  await expect(
    refused({ process: { scheduler: { policy: 'SCHED_BATCH', priority: 1 } } }),
  ).rejects.toThrow('scheduler.priority can only be specified for SchedFIFO or SchedRR policy');
  await expect(
    refused({ process: { scheduler: { policy: 'SCHED_OTHER', period: 1 } } }),
  ).rejects.toThrow('can only be specified for SchedDeadline policy');
  await expect(
    refused({ linux: { personality: { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] } } }),
  ).rejects.toThrow('flags are not supported');
});
