/** strace(1) must see what the records say: each step is one system call, and the helper adds only its own few. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { helperPath } from './addon.ts';
import { CLONE_NEWPID, CLONE_NEWUTS, forkInit, parseRecords } from './run-plan.ts';
import { encodeTinyPlan } from './tiny-plan.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** Names of the system calls of each process, in order, without those that keep the time and the records. */
function callsIn(strace: string): string[][] {
  const calls = new Map<string, string[]>();
  for (const line of strace.split('\n')) {
    const [, pid, name, rest] = /^(\d+) +(\w+)\((.*)/.exec(line) ?? [];
    if (!pid || !name || name === 'clock_gettime' || (name === 'write' && rest?.startsWith('4,')))
      continue;
    calls.set(pid, [...(calls.get(pid) ?? []), name]);
  }
  return [...calls.values()];
}

test.skipIf(!hasStrace)('strace sees the steps of the plan, one to one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'engine-room-strace-'));
  const plan = join(folder, 'plan');
  const trace = join(folder, 'strace');
  writeFileSync(
    plan,
    encodeTinyPlan({
      parent: [
        { call: 'pipe2', arguments: [{ pair: [0, 1] }, 0] },
        forkInit(CLONE_NEWPID | CLONE_NEWUTS),
        { call: 'close', arguments: [{ slot: 1 }] },
        { call: 'read', arguments: [{ slot: 0 }, Buffer.alloc(8), 1], expect: 1 },
      ],
      init: [
        { call: 'sethostname', arguments: ['inside', 6] },
        { call: 'openat', arguments: [-100, '/absent', 0, 0], ignore: [2] },
        { writeFile: { path: '/proc/self/comm', data: 'init' } },
        { call: 'write', arguments: [{ slot: 1 }, '!', 1] },
      ],
    }),
  );
  const planFd = openSync(plan, 'r');

  const child = spawn('strace', ['-f', '-o', trace, '--signal=none', helperPath], {
    stdio: ['ignore', 'inherit', 'inherit', planFd, 'pipe'],
  });
  closeSync(planFd);
  const chunks: Buffer[] = [];
  child.stdio[4]?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  const [parent, init] = callsIn(readFileSync(trace, 'utf8'));
  rmSync(folder, { recursive: true, force: true });

  const prologue = [
    'execve',
    'prctl',
    'rt_sigaction',
    'fstat',
    'mmap',
    'mmap',
    'fcntl',
    'close',
    'getpid',
  ];
  expect(code).toBe(0);
  expect(parent).toEqual([...prologue, 'pipe2', 'clone3', 'close', 'read', 'exit_group']);
  expect(init).toEqual([
    'getpid',
    'prctl',
    'sethostname',
    'openat',
    'openat',
    'write',
    'close',
    'write',
    'exit_group',
  ]);
  expect(
    parseRecords(Buffer.concat(chunks)).filter((record) => record.stage === 'init'),
  ).toHaveLength(4);
});
