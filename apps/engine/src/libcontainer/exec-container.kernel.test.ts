/** One more process in a container: asked of the kernel, and of the process itself. */
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { native } from '../native/load.ts';
import { Process } from '../protocol/oci/runtime-spec.ts';
import { setFrozen } from './cgroups/freezer.ts';
import { execContainer, type ExecutedProcess } from './exec-container.ts';
import { readState } from './state-file.ts';
import { Bench, status } from './testing/bundle.ts';

native.setChildSubreaper();
const bench = new Bench();
afterAll(() => bench.close());

const running = async (changes: Parameters<Bench['bundle']>[1] = {}) => {
  const bundle = bench.bundle(['sleep', '1000'], changes);
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await created.execed;
  const end = async (): Promise<void> => {
    native.pidfdSendSignal(created.pidfd, 9);
    await exited;
    await bench.delete(bundle.id);
  };
  return { ...bundle, pid: created.pid, end };
};

const exitOf = ({ pid, pidfd }: ExecutedProcess): Promise<number> =>
  new Promise((resolve) => {
    const stop = native.watchReadable(pidfd, () => {
      const exit = native.reap(pid);
      if (!exit) return;
      stop();
      native.close(pidfd);
      resolve(exit.code);
    });
  });

const exec = async (
  id: string,
  args: readonly string[],
  process: object = {},
  more: object = {},
) => {
  const file = join(bench.folder, 'exec.out');
  writeFileSync(file, '');
  const [input, output] = [openSync('/dev/null', 'r'), openSync(file, 'a')];
  try {
    const executed = await execContainer({
      native,
      tracer: bench.tracer,
      root: bench.root,
      id,
      process: Process.parse({ args, env: ['PATH=/bin'], cwd: '/', ...process }),
      stdio: [input, output, output],
      ...more,
    });
    return { executed, output: () => readFileSync(file, 'utf8') };
  } finally {
    closeSync(input);
    closeSync(output);
  }
};

test('it is in all namespaces and cgroups of the container, and has nothing else', async () => {
  const box = await running();

  const { executed } = await exec(box.id, ['sleep', '1000']);

  for (const name of ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user'])
    expect(readlinkSync(`/proc/${executed.pid}/ns/${name}`)).toBe(
      readlinkSync(`/proc/${box.pid}/ns/${name}`),
    );
  expect(readFileSync(`/proc/${executed.pid}/cgroup`, 'utf8')).toBe(
    readFileSync(`/proc/${box.pid}/cgroup`, 'utf8'),
  );
  expect(readlinkSync(`/proc/${executed.pid}/root`)).toBe('/');
  for (const field of ['CapEff', 'CapBnd', 'CapInh', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Uid'])
    expect([field, status(executed.pid).get(field)]).toEqual([field, status(box.pid).get(field)]);
  native.pidfdSendSignal(executed.pidfd, 9);
  expect(await exitOf(executed)).toBe(137);
  await box.end();
});

test('user, groups, folder, environment and exit code are those of the process', async () => {
  const box = await running();

  const { executed, output } = await exec(
    box.id,
    [
      'sh',
      '-c',
      'id -u; id -g; id -G; pwd; echo $X $HOME; ls /proc/self/fd | tr "\\n" " "; exit 7',
    ],
    {
      user: { uid: 1000, gid: 1001, additionalGids: [5] },
      cwd: '/tmp',
      env: ['PATH=/bin', 'X=y'],
    },
  );

  expect(await exitOf(executed)).toBe(7);
  expect(output()).toBe('1000\n1001\n1001 5\n/tmp\ny /home/user\n0 1 2 3 ');
  await box.end();
});

test('a terminal of the container is handed to the caller', async () => {
  const box = await running();

  const { executed } = await exec(box.id, ['sleep', '1000'], { terminal: true });

  expect(executed.ptyMaster).not.toBeNull();
  expect(readlinkSync(`/proc/${executed.pid}/fd/0`)).toMatch(/^\/dev\/pts\/\d+$/);
  if (executed.ptyMaster !== null) native.close(executed.ptyMaster);
  native.pidfdSendSignal(executed.pidfd, 9);
  await exitOf(executed);
  await box.end();
});

test.each([
  [['nosuch'], {}, 'exec: "nosuch": executable file not found in $PATH'],
  [['/nosuch'], {}, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
  [['/etc/passwd'], {}, 'exec: "/etc/passwd": permission denied'],
  [
    ['true'],
    { cwd: '/nowhere' },
    'chdir to cwd ("/nowhere") set in config.json failed: no such file',
  ],
  // CVE-2024-21626: a descriptor that leads to the host is no folder to start in.
  [
    ['true'],
    { cwd: '/proc/self/fd/5' },
    'chdir to cwd ("/proc/self/fd/5") set in config.json failed',
  ],
  [
    ['true'],
    { cwd: '/proc/self/fd/7' },
    'chdir to cwd ("/proc/self/fd/7") set in config.json failed',
  ],
])('what cannot be run is said as runc says it: %j %j', async (args, process, words) => {
  const box = await running();

  await expect(exec(box.id, args, process)).rejects.toThrow(
    `exec failed: unable to start container process: ${words}`,
  );

  await box.end();
});

test('a paused container refuses, and takes a process in only on demand', async () => {
  const box = await running();
  const { cgroupPaths } = readState(bench.root, box.id);
  await setFrozen(cgroupPaths, true);
  expect(readState(bench.root, box.id).status).toBe('paused');

  await expect(exec(box.id, ['true'])).rejects.toThrow('cannot exec in a paused container');
  const waiting = exec(box.id, ['true'], {}, { ignorePaused: true });
  await setFrozen(cgroupPaths, false);
  const { executed } = await waiting;

  expect(await exitOf(executed)).toBe(0);
  await box.end();
});

test('a stopped container refuses', async () => {
  const bundle = bench.bundle(['true']);
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await exited;

  await expect(exec(bundle.id, ['true'])).rejects.toThrow('cannot exec in a stopped container');

  await bench.delete(bundle.id);
});

test('a frozen container can be deleted by force', async () => {
  const bundle = bench.bundle(['sleep', '1000']);
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await setFrozen(readState(bench.root, bundle.id).cgroupPaths, true);

  await bench.delete(bundle.id, true);

  expect(await exited).toBe(137);
});
