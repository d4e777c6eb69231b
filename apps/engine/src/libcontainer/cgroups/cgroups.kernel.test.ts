/** Limits, as the files of the kernel and the fate of greedy programs show them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type HostFacts, readHostFacts } from '../host-facts.ts';
import { readState } from '../state-file.ts';
import { Bench, status } from '../testing/bundle.ts';
import { setFrozen } from './freezer.ts';
import { cgroupPathsOf, cgroupsOf, isUnified } from './paths.ts';

const bench = new Bench();
afterAll(() => bench.close());

const facts = readHostFacts();
const isV1 = !isUnified(cgroupsOf(facts, '/x', 'x'));
const MIB = 1024 * 1024;

/** The machine as a container would see it if only its version 2 hierarchy were mounted. */
const onlyVersion2 = (): HostFacts | null => {
  const hierarchies = facts.hierarchies.filter(({ version }) => version === 2);
  return hierarchies.length === 1 ? { ...facts, hierarchies } : null;
};
const version2 = onlyVersion2();

test.runIf(isV1)(
  'version 1: each hierarchy has the cgroup, init in it, and the limits',
  async () => {
    const bundle = bench.bundle(['sleep', '1000'], {
      linux: {
        resources: {
          devices: [{ allow: false, access: 'rwm' }],
          memory: { limit: 64 * MIB, swap: 64 * MIB, reservation: 32 * MIB },
          pids: { limit: 17 },
          cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
        },
      },
    });
    const created = await bench.create(bundle);
    const { cgroupPaths } = readState(bench.root, bundle.id);
    const read = (controller: string, file: string): string =>
      readFileSync(join(cgroupPaths[controller] ?? '', file), 'utf8').trim();

    expect(read('memory', 'memory.limit_in_bytes')).toBe(String(64 * MIB));
    expect(read('memory', 'memory.memsw.limit_in_bytes')).toBe(String(64 * MIB));
    expect(read('memory', 'memory.soft_limit_in_bytes')).toBe(String(32 * MIB));
    expect(read('pids', 'pids.max')).toBe('17');
    expect(read('cpu', 'cpu.shares')).toBe('512');
    expect(read('cpu', 'cpu.cfs_quota_us')).toBe('50000');
    expect(read('cpu', 'cpu.cfs_period_us')).toBe('100000');
    expect(read('cpuset', 'cpuset.cpus')).toBe('0');
    expect(read('devices', 'devices.list').split('\n')).toEqual(
      expect.arrayContaining([
        'c *:* m',
        'b *:* m',
        'c 1:3 rwm',
        'c 1:5 rwm',
        'c 5:0 rwm',
        'c 136:* rwm',
        'c 5:2 rwm',
      ]),
    );
    expect(read('devices', 'devices.list')).not.toContain('a *:* rwm');
    for (const path of Object.values(cgroupPaths))
      expect(readFileSync(join(path, 'cgroup.procs'), 'utf8')).toBe(`${created.pid}\n`);
    expect(status(created.pid).get('Cpus_allowed_list')).toBe('0');

    await bench.delete(bundle.id, true);
    for (const path of Object.values(cgroupPaths)) expect(existsSync(path)).toBe(false);
  },
);

test.runIf(isV1)(
  'version 1: the container sees only its own cgroups, with and without a namespace for them',
  async () => {
    const script =
      'ls /sys/fs/cgroup | tr "\\n" " "; cat /sys/fs/cgroup/pids/pids.max; grep -c engine-room /proc/self/cgroup; mkdir /sys/fs/cgroup/pids/x';
    const namespaces = ['mount', 'network', 'uts', 'pid', 'ipc'] as const;
    const resources = { pids: { limit: 23 } };

    const shared = await bench.run(['sh', '-c', script], { linux: { resources } });
    const own = await bench.run(['sh', '-c', script], {
      linux: {
        resources,
        namespaces: [...namespaces, 'cgroup' as const].map((type) => ({ type })),
      },
    });

    expect(shared.output).toMatch(/memory .*pids .*23\n[1-9]/);
    expect(own.output).toMatch(/memory .*pids .*23\n0\n/);
    for (const { output } of [shared, own])
      expect(output).toContain(
        "can't create directory '/sys/fs/cgroup/pids/x': Read-only file system",
      );
  },
);

test.runIf(isV1)(
  'a program that takes more memory than it may is killed, and nothing else is',
  async () => {
    const { code } = await bench.run(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=80M', 'count=1'], {
      linux: { resources: { memory: { limit: 32 * MIB, swap: 32 * MIB } } },
    });

    expect(code).toBe(137);
  },
);

test.runIf(isV1)('a memory limit too low for init itself is said so', async () => {
  const bundle = bench.bundle(['true'], {
    linux: { resources: { memory: { limit: 4096, swap: 4096 } } },
  });

  const outcome = await bench.create(bundle).catch((error: unknown) => error);

  // Some kernels let a small init live on what is charged elsewhere.
  if (outcome instanceof Error)
    expect(outcome.message).toContain('container init was OOM-killed (memory limit too low?)');
});

test.runIf(isV1)('a program that forks without end meets its limit', async () => {
  const { output } = await bench.run(
    ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo end'],
    {
      linux: { resources: { pids: { limit: 4 } } },
    },
  );

  expect(output).toContain("can't fork: Resource temporarily unavailable");
});

test.runIf(isV1)(
  'a device that is not on the list cannot be opened, although it can be made',
  async () => {
    const { output } = await bench.run([
      'sh',
      '-c',
      'mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem; head -c 3 /dev/zero | wc -c',
    ]);

    expect(output).toContain('made\n');
    expect(output).toContain("can't open '/tmp/mem': Operation not permitted");
    expect(output).toContain('3\n');
  },
);

test.runIf(version2 !== null)(
  'version 2: init is born in the cgroup, and an eBPF program guards the devices',
  async () => {
    const bundle = bench.bundle(['sleep', '1000']);
    const created = await bench.create(bundle, undefined, version2 ?? undefined);
    const { cgroupPaths } = readState(bench.root, bundle.id);
    const path = cgroupPaths['unified'] ?? '';

    expect(Object.keys(cgroupPaths)).toEqual(['unified']);
    expect(readFileSync(join(path, 'cgroup.procs'), 'utf8')).toBe(`${created.pid}\n`);
    const clone = bench.events.findLast(
      (event) => event.type === 'syscall' && event.name === 'clone3',
    );
    expect(clone).toMatchObject({
      errno: null,
      detail: expect.stringContaining('CLONE_INTO_CGROUP') as string,
    });
    await bench.delete(bundle.id, true);
    expect(existsSync(path)).toBe(false);
  },
);

test.runIf(version2 !== null)(
  'version 2: the container sees its own cgroup, and only the devices on the list open',
  async () => {
    const script =
      'cat /sys/fs/cgroup/cgroup.procs | head -1; grep " /sys/fs/cgroup " /proc/self/mountinfo | grep -c cgroup2; mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem; cat /dev/full | head -c 3 | wc -c; : >/dev/null && echo null';

    const { output } = await bench.run(
      ['sh', '-c', script],
      {
        linux: {
          namespaces: ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'].map((type) => ({
            type,
          })) as never,
        },
      },
      version2 ?? undefined,
    );

    expect(output).toContain('1\n1\nmade\n');
    expect(output).toContain("can't open '/tmp/mem': Operation not permitted");
    expect(output).toContain('3\nnull\n');
  },
);

test.runIf(version2?.hierarchies[0]?.controllers.includes('hugetlb') === true)(
  'version 2: controllers are switched on from the top down',
  async () => {
    const [size] = spawnSync('ls', ['/sys/kernel/mm/hugepages'], { encoding: 'utf8' }).stdout.split(
      '\n',
    );
    const pageSize = size === 'hugepages-2048kB' ? '2MB' : '1GB';
    const bundle = bench.bundle(['sleep', '1000'], {
      linux: { resources: { hugepageLimits: [{ pageSize, limit: 0 }] } },
    });

    await bench.create(bundle, undefined, version2 ?? undefined);
    const path = readState(bench.root, bundle.id).cgroupPaths['unified'] ?? '';

    expect(readFileSync(join(path, `hugetlb.${pageSize}.max`), 'utf8').trim()).toBe('0');
    await bench.delete(bundle.id, true);
  },
);

test.runIf(version2?.hierarchies[0]?.controllers.includes('memory') === false)(
  'version 2: a limit without its controller is refused before anything is made',
  async () => {
    const bundle = bench.bundle(['true'], { linux: { resources: { memory: { limit: MIB } } } });

    await expect(bench.create(bundle, undefined, version2 ?? undefined)).rejects.toThrow(
      "cannot limit memory: this machine's cgroup v2 has no controller memory",
    );
    expect(existsSync(join(bench.root, bundle.id))).toBe(false);
  },
);

test('a cgroup that stands frozen already is refused: init would stand still in it for ever', async () => {
  const bundle = bench.bundle(['true']);
  const paths = cgroupPathsOf({ facts, spec: bundle.spec, id: bundle.id });
  const frozen = Object.entries(paths).filter(([name]) =>
    isV1 ? name.split(',').includes('freezer') : name === 'unified',
  );
  for (const [, path] of frozen) mkdirSync(path, { recursive: true });
  await setFrozen(Object.fromEntries(frozen), true);
  try {
    await expect(bench.create(bundle)).rejects.toThrow(
      "runc create failed: container's cgroup unexpectedly frozen",
    );
    expect(existsSync(join(bench.root, bundle.id))).toBe(false);
  } finally {
    await setFrozen(Object.fromEntries(frozen), false);
    for (const [, path] of frozen) rmdirSync(path);
  }
});
