/** A container as the kernel sees it, between `runc create` and `runc delete`. */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LinuxSeccomp } from '../protocol/oci/runtime-spec.ts';
import { readProcess, readState } from './state-file.ts';
import { Bench, capabilities, status, traces } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const dockerPolicy = (): LinuxSeccomp =>
  LinuxSeccomp.parse(
    JSON.parse(readFileSync(new URL('./testing/docker-seccomp.json', import.meta.url), 'utf8')),
  );

const namespaceOf = (pid: number | 'self', name: string): string =>
  readlinkSync(`/proc/${pid}/ns/${name}`);

test('the program runs, its output and its exit code arrive', async () => {
  const { output, code } = await bench.run(['sh', '-c', 'echo hello; exit 7']);

  expect(output).toBe('hello\n');
  expect(code).toBe(7);
});

test('init waits in its own namespaces as a child of ours, and runs the program only after start', async () => {
  const bundle = bench.bundle(['sleep', '1000'], {
    linux: {
      namespaces: ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'].map(
        (type) => ({ type }) as never,
      ),
    },
  });

  const created = await bench.create(bundle);

  for (const name of ['mnt', 'net', 'uts', 'pid', 'ipc', 'cgroup']) {
    expect(namespaceOf(created.pid, name), name).not.toBe(namespaceOf('self', name));
  }
  expect(namespaceOf(created.pid, 'user')).toBe(namespaceOf('self', 'user'));
  expect(readProcess(created.pid)?.ppid).toBe(process.pid);
  expect(readFileSync(`/proc/${created.pid}/comm`, 'utf8').trim()).toBe('runc:[init]');
  expect(readState(bench.root, bundle.id).status).toBe('created');
  expect(
    readdirSync(`/proc/${created.pid}/fd`)
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual([0, 1, 2, 4, 60, 61]);

  await bench.start(bundle.id);
  await created.execed;

  expect(readFileSync(`/proc/${created.pid}/cmdline`, 'utf8')).toBe('sleep\u00001000\u0000');
  expect(readdirSync(`/proc/${created.pid}/fd`)).toEqual(['0', '1', '2']);
  expect(readState(bench.root, bundle.id).status).toBe('running');
  expect(created.startTime).toBe(readProcess(created.pid)?.startTime);
  const exited = bench.exitOf(created);
  process.kill(created.pid, 'SIGKILL');
  expect(await exited).toBe(137);
  expect(readState(bench.root, bundle.id).status).toBe('stopped');
});

test("root has Docker's capabilities, no_new_privs and a filter when asked, and no more", async () => {
  const bundle = bench.bundle(['sleep', '1000'], {
    process: { noNewPrivileges: true },
    linux: { seccomp: dockerPolicy() },
  });
  const created = await bench.create(bundle);
  await bench.start(bundle.id);
  await created.execed;

  const facts = status(created.pid);

  expect(facts.get('CapEff')).toBe('00000000a80425fb');
  expect(facts.get('CapPrm')).toBe('00000000a80425fb');
  expect(facts.get('CapBnd')).toBe('00000000a80425fb');
  expect(facts.get('CapInh')).toBe('0000000000000000');
  expect(facts.get('CapAmb')).toBe('0000000000000000');
  expect(facts.get('NoNewPrivs')).toBe('1');
  expect(facts.get('Seccomp')).toBe('2');
  expect(facts.get('SigBlk')).toBe('0000000000000000');
  expect(facts.get('SigIgn')).toBe('0000000000000000');
});

test("Docker's filter is in force also without no_new_privs", async () => {
  const probe =
    'grep -E "NoNewPrivs|Seccomp:" /proc/self/status; unshare -n true; echo $?; mount -t tmpfs x /tmp; echo $?';

  const { output } = await bench.run(['sh', '-c', probe], {
    linux: { seccomp: dockerPolicy() },
    process: { capabilities: capabilities(['CAP_SYS_ADMIN', 'CAP_SETUID', 'CAP_SETGID']) },
  });

  expect(output).toContain('NoNewPrivs:\t0');
  expect(output).toContain('Seccomp:\t2');
  expect(output).toContain('unshare: unshare(0x40000000): Operation not permitted\n1\n');
  expect(output).toMatch(/mount: .*\n[1-9]/);
});

test('another user has ids, groups and mask as asked, and no effective capabilities', async () => {
  const bundle = bench.bundle(['sleep', '1000'], {
    process: { user: { uid: 1000, gid: 1001, additionalGids: [5, 2000], umask: 0o027 } },
  });
  const created = await bench.create(bundle);
  await bench.start(bundle.id);
  await created.execed;

  const facts = status(created.pid);

  expect(facts.get('Uid')).toBe('1000\t1000\t1000\t1000');
  expect(facts.get('Gid')).toBe('1001\t1001\t1001\t1001');
  expect(facts.get('Groups')).toBe('5 2000');
  expect(facts.get('Umask')).toBe('0027');
  expect(facts.get('CapEff')).toBe('0000000000000000');
  expect(facts.get('CapBnd')).toBe('00000000a80425fb');
});

test("ambient capabilities reach another user's program", async () => {
  const names = ['CAP_NET_BIND_SERVICE'];
  const { output } = await bench.run(['grep', 'Cap', '/proc/self/status'], {
    process: {
      user: { uid: 1000, gid: 1000 },
      capabilities: {
        bounding: names,
        effective: names,
        permitted: names,
        inheritable: names,
        ambient: names,
      },
    },
  });

  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    expect(output).toContain(`${set}:\t0000000000000400`);
});

test('host name, rlimits, oom score, sysctl, environment and HOME are those of config.json and the image', async () => {
  const probe =
    'hostname; ulimit -n; ulimit -c; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_unprivileged_port_start; echo $HOME $A; pwd';

  const { output } = await bench.run(['sh', '-c', probe], {
    spec: { hostname: 'teacher' },
    linux: { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '7' } },
    process: {
      user: { uid: 1000, gid: 1000 },
      env: ['A=b c', 'PATH=/bin'],
      cwd: '/made/on/the/way',
      oomScoreAdj: 200,
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 123, hard: 456 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      ],
    },
  });

  expect(output).toBe('teacher\n123\n0\n200\n7\n/home/user b c\n/made/on/the/way\n');
});

test('the loopback interface answers in a new network namespace', async () => {
  const { output } = await bench.run([
    'sh',
    '-c',
    'ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up; ls /sys/class/net',
  ]);

  expect(output).toBe('up\nlo\n');
});

test('a network namespace can be joined instead', async () => {
  const owner = bench.bundle(['sleep', '1000']);
  const created = await bench.create(owner);

  const { output } = await bench.run(['readlink', '/proc/self/ns/net'], {
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'pid' },
        { type: 'uts' },
        { type: 'ipc' },
        { type: 'network', path: `/proc/${created.pid}/ns/net` },
      ],
    },
  });

  expect(output.trim()).toBe(namespaceOf(created.pid, 'net'));
});

test('pid, ipc and uts namespaces of another container can be joined', async () => {
  const owner = bench.bundle(['sleep', '1000']);
  const created = await bench.create(owner);
  const path = (name: string): string => `/proc/${created.pid}/ns/${name}`;

  const { output } = await bench.run(
    ['sh', '-c', 'for n in pid ipc uts; do readlink /proc/self/ns/$n; done; cat /proc/1/comm'],
    {
      spec: { hostname: undefined as never },
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'network' },
          { type: 'pid', path: path('pid') },
          { type: 'uts', path: path('uts') },
          { type: 'ipc', path: path('ipc') },
        ],
      },
    },
  );

  expect(output.trim().split('\n')).toEqual([
    ...['pid', 'ipc', 'uts'].map((name) => namespaceOf(created.pid, name)),
    'runc:[init]',
  ]);
});

test('a binary that the machine cannot run leaves a word in the output and exit code 1', async () => {
  const bundle = bench.bundle(['/garbage']);
  writeFileSync(join(bundle.rootfs, 'garbage'), 'not a program', { mode: 0o755 });
  const output = openSync(join(bundle.path, 'output'), 'a');
  const created = await bench.create(bundle, [output, output, output]);
  closeSync(output);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);

  await expect(created.execed).rejects.toThrow('exec /garbage: exec format error');
  expect(await exited).toBe(1);
  expect(readFileSync(join(bundle.path, 'output'), 'utf8')).toBe(
    'exec /garbage: exec format error\n',
  );
});

test('nothing is left behind: not by a container, not by a failed create', async () => {
  const before = traces(bench.cgroupParent, bench.folder);

  for (let round = 0; round < 5; round++) {
    await bench.run(['true']);
    const broken = bench.bundle(['/does/not/exist']);
    await expect(bench.create(broken)).rejects.toThrow('no such file or directory');
    expect(existsSync(join(bench.root, broken.id))).toBe(false);
  }

  expect(traces(bench.cgroupParent, bench.folder)).toEqual(before);
});

test('the same id cannot be created twice', async () => {
  const bundle = bench.bundle(['true']);
  await bench.create(bundle);

  await expect(bench.create(bundle)).rejects.toThrow(
    'runc create failed: container with given ID already exists',
  );
  expect(readState(bench.root, bundle.id).status).toBe('created');
});

test('delete refuses what runs unless forced, and does not know what is not there', async () => {
  const bundle = bench.bundle(['sleep', '1000']);
  await bench.create(bundle);
  await bench.start(bundle.id);

  await expect(bench.delete(bundle.id)).rejects.toThrow(
    `cannot delete container ${bundle.id} that is not stopped: running`,
  );
  await bench.delete(bundle.id, true);
  await expect(bench.delete(bundle.id)).rejects.toThrow('container does not exist');
});

test('start refuses a container that runs or has stopped', async () => {
  const bundle = bench.bundle(['sleep', '1000']);
  const created = await bench.create(bundle);
  await bench.start(bundle.id);

  await expect(bench.start(bundle.id)).rejects.toThrow('cannot start an already running container');
  const exited = bench.exitOf(created);
  process.kill(created.pid, 'SIGKILL');
  await exited;
  await expect(bench.start(bundle.id)).rejects.toThrow('cannot start a container that has stopped');
});
