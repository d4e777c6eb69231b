/**
 * Published attacks on runtimes, run as published: each fails here, and works where the one defence is missing.
 * https://github.com/opencontainers/runc/security/advisories
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Bench, dockerMounts, status } from '../testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

/** Keeps a handle on a program's file, lets the program end, and writes through the handle. */
const overwrite = (handle: number): void => {
  const fd = openSync(`/proc/self/fd/${handle}`, 'r+');
  try {
    writeSync(fd, '#!', 0);
  } finally {
    closeSync(fd);
  }
};

test('CVE-2019-5736: the runtime cannot be overwritten through /proc/<pid>/exe', async () => {
  const bundle = bench.bundle(['true']);
  const created = await bench.create(bundle);
  const handle = openSync(`/proc/${created.pid}/exe`, 'r');
  const before = readFileSync(handle);
  const exited = bench.exitOf(created);
  process.kill(created.pid, 'SIGKILL');
  await exited;

  expect(() => overwrite(handle)).toThrow(/EPERM|ETXTBSY/);
  closeSync(handle);
  const next = bench.bundle(['true']);
  const again = await bench.create(next);
  expect(readFileSync(`/proc/${again.pid}/exe`).equals(before)).toBe(true);
});

test('CVE-2019-5736, the control: a program on a disk is overwritten in the same way', async () => {
  const file = join(bench.folder, 'runtime');
  copyFileSync('/bin/busybox', file);
  const program = spawn(file, ['sleep', '1000'], { argv0: 'busybox' });
  await new Promise((resolve) => program.once('spawn', resolve));
  const handle = openSync(`/proc/${program.pid ?? 0}/exe`, 'r');
  const ended = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGKILL');
  await ended;

  overwrite(handle);

  closeSync(handle);
  expect(readFileSync(file, 'latin1').slice(0, 2)).toBe('#!');
});

test.each(['/proc', '/proc/keys', '/proc/self/attr', '/x/../proc/sys'])(
  'CVE-2019-16884, CVE-2019-19921: a volume on %s cannot stand in for the kernel',
  async (destination) => {
    const volume = join(bench.folder, 'volume');
    mkdirSync(volume, { recursive: true });
    const bundle = bench.bundle(['true'], {
      spec: {
        mounts: [
          ...dockerMounts(),
          { destination, type: 'bind', source: volume, options: ['rbind', 'rprivate'] },
        ],
      },
    });

    await expect(bench.create(bundle)).rejects.toThrow(/cannot be mounted because it is/);
    expect(readdirSync(volume)).toEqual([]);
  },
);

test('CVE-2019-16884, the control: the same volume elsewhere is mounted, and a file of lxcfs in /proc', async () => {
  const file = join(bench.folder, 'uptime');
  copyFileSync('/etc/hostname', file);
  const { output } = await bench.run(['sh', '-c', 'cmp /proc/uptime /volume && echo same'], {
    spec: {
      mounts: [
        ...dockerMounts(),
        ...['/volume', '/proc/uptime'].map((destination) => ({
          destination,
          type: 'bind',
          source: file,
          options: ['rbind', 'rprivate'],
        })),
      ],
    },
  });

  expect(output).toBe('same\n');
});

test('CVE-2016-9962: in a shared pid namespace nobody sees into init before it runs its program', async () => {
  const probe = (pid: number): string =>
    `cat /proc/${pid}/environ >/dev/null 2>&1 && echo read; readlink /proc/${pid}/fd/1 >/dev/null && echo followed; true`;
  const host = bench.bundle(['sleep', '1000']);
  const waiting = await bench.create(host);
  const look = (): Promise<string> =>
    bench
      .run(['sh', '-c', probe(waiting.pid)], {
        linux: {
          namespaces: ['mount', 'network', 'uts', 'ipc'].map((type) => ({ type })) as never,
        },
      })
      .then(({ output }) => output);

  expect(await look()).toBe('');

  // The control: the same look, once the program runs (with the same capabilities as the one who looks).
  await bench.start(host.id);
  await waiting.execed;
  expect(await look()).toBe('read\nfollowed\n');
});

test('CVE-2022-29162: no capability is inheritable unless asked for', async () => {
  const created = await bench.create(bench.bundle(['sleep', '1000']));
  expect(status(created.pid).get('CapInh')).toBe('0000000000000000');

  const names = ['CAP_NET_BIND_SERVICE'];
  const asked = await bench.create(
    bench.bundle(['sleep', '1000'], {
      process: {
        capabilities: {
          bounding: names,
          effective: names,
          permitted: names,
          inheritable: names,
        },
      },
    }),
  );
  expect(status(asked.pid).get('CapInh')).toBe('0000000000000400');
});

test('CVE-2024-21626: no descriptor of the host reaches the program, so no cwd can follow one', async () => {
  const { output } = await bench.run([
    'sh',
    '-c',
    'for fd in $(ls /proc/$$/fd); do readlink /proc/$$/fd/$fd; done',
  ]);

  expect(output.trim().split('\n')).toHaveLength(3);
});
