/** The trace of runc against strace's, call by call: what we tell is what the kernel was asked. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Bench } from './testing/bundle.ts';
import type { SyscallEvent } from '../protocol/trace/event.ts';

const bench = new Bench();
afterAll(() => bench.close());

const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** The helper's own business, which is no step: see native/src/helper. */
const OWN = new Set(['clock_gettime', 'getpid', 'rt_sigaction', 'fstat', 'mmap', 'fcntl']);

interface Line {
  readonly pid: number;
  readonly call: string;
  readonly text: string;
}

/** `123 mount("proc", …` with the halves of interrupted calls joined: the begin counts. */
const parse = (text: string): Line[] =>
  text.split('\n').flatMap((line) => {
    const match = /^(\d+) +([a-z_0-9]+)\((.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), call: match[2] ?? '', text: match[3] ?? '' }] : [];
  });

test.runIf(hasStrace)('strace -f of a create agrees with the plan one to one', async () => {
  const bundle = bench.bundle(['true'], { linux: { seccomp: null } });
  const file = join(bench.folder, 'strace');
  // Follows the helper from its birth: everything that this process clones.
  const strace = spawn(
    'strace',
    ['-f', '-qq', '-o', file, '-p', String(process.pid), '-e', 'signal=none'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const status = readFileSync('/proc/self/status', 'utf8');
      if (!/^TracerPid:\s*0$/m.test(status)) {
        clearInterval(timer);
        resolve();
      }
    }, 10);
  });

  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await created.execed;
  await exited;
  const detached = new Promise((resolve) => strace.once('exit', resolve));
  strace.kill('SIGINT');
  await detached;

  const told = bench.events.filter((event): event is SyscallEvent => event.type === 'syscall');
  const create = told.filter(({ spanId }) => spanId === told[0]?.spanId);
  const runcPid = create.find(({ caller }) => caller.actor === 'runc')?.caller.pid ?? 0;
  const lines = parse(readFileSync(file, 'utf8'));
  for (const [pid, actor] of [
    [runcPid, 'runc'],
    [created.pid, 'container'],
  ] as const) {
    const seen = callsOf(lines, pid);
    const ours = create
      .filter(({ caller }) => caller.actor === actor)
      .sort((a, b) => (BigInt(a.mono) < BigInt(b.mono) ? -1 : 1))
      .flatMap((event) =>
        event.name === 'write' && event.detail.startsWith('write(/')
          ? ['open', 'write', 'close']
          : [event.name],
      );
    expect(seen, actor).toEqual(ours.map((name) => (name === 'open' ? 'openat' : name)));
  }
});

/** Between the helper's first instruction and the program's; for runc itself to its end. */
const callsOf = (lines: readonly Line[], pid: number): string[] => {
  const own = lines.filter((line) => line.pid === pid && !OWN.has(line.call));
  const first = own.findIndex(
    ({ call, text }) => call === 'prctl' && text.startsWith('PR_SET_NAME'),
  );
  const calls = own
    .slice(first + 1)
    .filter(({ call, text }) => !(call === 'write' && text.startsWith('4, ')));
  // runc has read the plan and lets go of it.
  if (calls[0]?.call === 'close' && /^3\b/.test(calls[0].text)) calls.shift();
  const execve = calls.findIndex(
    ({ call, text }, index) =>
      call === 'execve' && (text.includes(' = 0') || calls[index + 1]?.call !== 'execve'),
  );
  const end = calls.findIndex(({ call }) => call === 'exit_group');
  if (execve >= 0) return calls.slice(0, execve + 1).map(({ call }) => call);
  return calls.slice(0, end < 0 ? undefined : end).map(({ call }) => call);
};
