/** SCMP_ACT_NOTIFY with a real agent (testing/seccomp-agent.c), which refuses mkdir and lets everything else pass. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { LinuxSeccomp, Process } from '../../protocol/oci/runtime-spec.ts';
import { execContainer } from '../exec-container.ts';
import { Bench } from '../testing/bundle.ts';
import { watchProcess } from '../watch-process.ts';

native.setChildSubreaper();
const bench = new Bench();
const listenerPath = join(bench.folder, 'agent.sock');
let agent: ChildProcessByStdio<null, Readable, null>;
let lines: Interface;
const told: unknown[] = [];

beforeAll(async () => {
  const program = join(bench.folder, 'agent');
  const source = join(import.meta.dirname, '../testing/seccomp-agent.c');
  execFileSync(process.env['CC'] ?? 'cc', ['-Wall', '-Werror', '-o', program, source]);
  agent = spawn(program, [listenerPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  lines = createInterface(agent.stdout);
  await once(lines, 'line');
  lines.on('line', (line) => told.push(JSON.parse(line)));
});
afterAll(async () => {
  agent.kill();
  await once(agent, 'exit');
  await bench.close();
});

const policy = (names: string[], changes: object = {}) =>
  LinuxSeccomp.parse({
    defaultAction: 'SCMP_ACT_ALLOW',
    listenerPath,
    listenerMetadata: 'words for the agent',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
    ...changes,
  });

const TRY = ['sh', '-c', 'mkdir /tmp/x; ls -d /tmp; ls /proc/self/fd | wc -l'];
const REFUSED = "mkdir: can't create directory '/tmp/x': No medium found\n/tmp\n4\n";

test.each([true, false])(
  'the agent answers in the place of the kernel (no_new_privs %s)',
  async (noNewPrivileges) => {
    told.length = 0;
    const names = ['mkdir', 'mkdirat', 'openat', 'read', 'close', 'execve', 'prctl', 'setresuid'];
    const ran = await bench.run(TRY, {
      linux: { seccomp: policy(names) },
      process: { noNewPrivileges },
    });

    expect(ran).toEqual({ output: REFUSED, code: 0 });
    expect(told).toMatchObject([
      {
        fds: ['seccompFd'],
        metadata: 'words for the agent',
        state: { status: 'creating', bundle: expect.stringContaining(bench.folder) as string },
      },
    ]);
  },
);

test('the agent gets the filter of an exec, too', async () => {
  const bundle = bench.bundle(['sleep', '1000'], {
    linux: { seccomp: policy(['mkdir', 'mkdirat']) },
  });
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  told.length = 0;
  const file = join(bundle.path, 'exec.out');
  const [input, output] = [openSync('/dev/null', 'r'), openSync(file, 'a')];

  const executed = await execContainer({
    ...{ native, tracer: bench.tracer, root: bench.root, id: bundle.id },
    process: Process.parse({ args: TRY, env: ['PATH=/bin'], cwd: '/' }),
    stdio: [input, output, output],
  });
  native.close(executed.pidfd);
  await watchProcess(native, executed.pid).exited;

  expect(readFileSync(file, 'utf8')).toBe(REFUSED);
  expect(told).toMatchObject([
    { pid: executed.pid, state: { id: bundle.id, status: 'running', pid: created.pid } },
  ]);
  for (const fd of [input, output]) closeSync(fd);
  native.pidfdSendSignal(created.pidfd, 9);
  await exited;
  await bench.delete(bundle.id);
});

test('without the agent there is no container', async () => {
  const seccomp = policy(['mkdir'], { listenerPath: join(bench.folder, 'nobody.sock') });
  await expect(bench.run(TRY, { linux: { seccomp } })).rejects.toThrow(
    'failed to connect with seccomp agent',
  );
});
