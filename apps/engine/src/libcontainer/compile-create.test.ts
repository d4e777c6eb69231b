/** Plans for machines that this one is not: the compiler only knows the facts that it is given. */
import { expect, test } from 'vitest';
import { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { compileCreate } from './compile-create.ts';
import type { CgroupHierarchy, HostFacts } from './host-facts.ts';
import { encodePlan } from './plan/encode.ts';
import type { Plan, Step } from './plan/step.ts';

const unified: CgroupHierarchy = {
  version: 2,
  mountPoint: '/sys/fs/cgroup',
  controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  name: null,
  ownPath: '/user.slice',
};

const factsOf = (changes: Partial<HostFacts> = {}): HostFacts => ({
  architecture: 'x64',
  kernel: [6, 1],
  lastCapability: 40,
  boundingCapabilities: 0x1ff_ffff_ffffn,
  hierarchies: [unified],
  appArmor: false,
  files: {
    exists: (path) => path === '/sys/fs/cgroup/engine-room' || path === '/proc/kcore',
    read: (path) =>
      path === '/sys/fs/cgroup/cgroup.subtree_control' ? 'cpu io memory pids' : null,
    isSymbolicLink: () => false,
    isSame: () => false,
    isDirectory: (path) => (path === '/etc/hosts' ? false : !path.startsWith('/missing')),
  },
  ...changes,
});

const compile = (
  changes: { readonly linux?: object; readonly process?: object; readonly mounts?: object[] } = {},
  facts = factsOf(),
): Plan =>
  compileCreate({
    spec: RuntimeSpec.parse({
      ociVersion: '1.0.2',
      root: { path: 'rootfs' },
      mounts: changes.mounts ?? [],
      process: {
        user: { uid: 0, gid: 0 },
        args: ['true'],
        env: ['PATH=/bin'],
        cwd: '/',
        ...changes.process,
      },
      linux: {
        namespaces: [{ type: 'mount' }, { type: 'pid' }],
        cgroupsPath: '/engine-room/box',
        ...changes.linux,
      },
    }),
    facts,
    id: 'box',
    bundle: '/bundle',
    execFifo: '/run/box/exec.fifo',
    imageModeOf: () => null,
    ownsStdio: [true, true, true],
    home: '/root',
  });

const written = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap((step) => (step.kind === 'writeFile' ? [`${step.path}=${step.data}`] : []));

test('version 2 writes the limits in its own words, and swap without memory', () => {
  const MIB = 1024 * 1024;
  const plan = compile({
    linux: {
      resources: {
        memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 16 * MIB },
        pids: { limit: 20 },
        cpu: { shares: 1024, quota: 150_000, period: 100_000, cpus: '0-1' },
        unified: { 'memory.high': '1000' },
      },
    },
  });

  expect(written(plan.parent)).toEqual([
    '/sys/fs/cgroup/cgroup.subtree_control=+cpuset',
    ...['memory', 'pids', 'cpu', 'io', 'cpuset'].map(
      (name) => `/sys/fs/cgroup/engine-room/cgroup.subtree_control=+${name}`,
    ),
    ...[
      `memory.swap.max=${32 * MIB}`,
      `memory.max=${64 * MIB}`,
      `memory.low=${16 * MIB}`,
      'pids.max=20',
      'cpu.weight=39',
      'cpu.max=150000 100000',
      'cpuset.cpus=0-1',
      'memory.high=1000',
    ].map((line) => `/sys/fs/cgroup/engine-room/box/${line}`),
  ]);
});

test('version 2 has init born in its cgroup, and no step of init joins one', () => {
  const plan = compile();

  expect(plan.parent.find(({ name }) => name === 'clone3')?.detail).toContain('CLONE_INTO_CGROUP');
  expect(plan.parent.filter(({ name }) => name === 'bpf')).toHaveLength(2);
  expect(written(plan.init)).toEqual([]);
});

test('a cgroup above the container that is missing is made on the way', () => {
  const plan = compile({ linux: { cgroupsPath: '/new/deep/box' } });

  expect(
    plan.parent.filter(({ name }) => name === 'mkdirat').map(({ detail }) => detail.split('"')[1]),
  ).toEqual(['/sys/fs/cgroup/new', '/sys/fs/cgroup/new/deep', '/sys/fs/cgroup/new/deep/box']);
});

test.each([
  ['../../box', '/sys/fs/cgroup/box'],
  ['/../../box', '/sys/fs/cgroup/box'],
])('cgroupsPath %s cannot climb out of the hierarchy', (cgroupsPath, path) => {
  const last = compile({ linux: { cgroupsPath } }).parent.findLast(
    ({ name }) => name === 'mkdirat',
  );

  expect(last?.detail.split('"')[1]).toBe(path);
});

test('limits that version 2 cannot keep are refused by name', () => {
  const of = (resources: object) => () => compile({ linux: { resources } });

  expect(of({ memory: { swappiness: 10 } })).toThrow(
    'memory.swappiness does not exist on cgroup v2',
  );
  expect(of({ hugepageLimits: [{ pageSize: '2MB', limit: 1 }] })).toThrow('no controller hugetlb');
  expect(of({ memory: { limit: 100, swap: 50 } })).toThrow('must not be smaller');
  expect(of({ unified: { '../x': '1' } })).toThrow('not the name of a cgroup file');
  expect(of({ devices: [{ allow: true, access: 'rwx' }] })).toThrow('invalid device access');
});

test('for arm64 the calls and flags have its numbers', () => {
  const plan = compile({}, factsOf({ architecture: 'arm64' }));
  const numbers = new Map(
    [...plan.parent, ...plan.init].flatMap((step) =>
      step.kind === 'syscall' ? [[step.name, step.number]] : [],
    ),
  );

  expect(numbers.get('mount')).toBe(40);
  expect(numbers.get('pivot_root')).toBe(41);
  expect(numbers.get('execve')).toBe(221);
  const root = plan.init.find(({ title }) => title.startsWith("hold the container's root"));
  expect(root?.kind === 'syscall' ? root.arguments[2] : null).toEqual({
    kind: 'number',
    value: 0o10000000 | 0o40000 | 0o2000000,
  });
  expect(() => encodePlan(plan)).not.toThrow();
});

test('a program with a hundred mounts still fits into the slots of a plan', () => {
  const mounts = Array.from({ length: 100 }, (_, index) => ({
    destination: `/data/${index}`,
    type: 'bind',
    source: index % 2 ? '/etc/hosts' : '/var',
    options: ['rbind', 'ro'],
  }));

  expect(() => encodePlan(compile({ mounts }))).not.toThrow();
});

test('a NUL byte, which would cut a path short, is refused', () => {
  expect(() => compile({ process: { args: ['true\0rm'] } })).toThrow('NUL');
});

test('the look-up follows PATH of the container, never that of runc', () => {
  const plan = compile({ process: { env: ['PATH=/a:/b::/c'], args: ['tool'] } });
  const tried = plan.init
    .filter(({ name }) => name === 'execve')
    .map(({ detail }) => detail.split('"')[1]);

  expect(tried).toEqual(['/a/tool', '/b/tool', './tool', '/c/tool']);
});

const v1 = (controller: string): CgroupHierarchy => ({
  version: 1,
  mountPoint: `/sys/fs/cgroup/${controller}`,
  controllers: [controller],
  name: null,
  ownPath: '/',
});

test('the network of version 1 and rdma are limited where the machine has their controllers', () => {
  const resources = {
    network: { classID: 0x10_0001, priorities: [{ name: 'eth0', priority: 5 }] },
    rdma: { mlx4_0: { hcaHandles: 3 } },
  };
  const hierarchies = ['devices', 'net_cls', 'net_prio', 'rdma'].map(v1);

  expect(written(compile({ linux: { resources } }, factsOf({ hierarchies })).parent)).toEqual(
    expect.arrayContaining([
      '/sys/fs/cgroup/net_cls/engine-room/box/net_cls.classid=1048577',
      '/sys/fs/cgroup/net_prio/engine-room/box/net_prio.ifpriomap=eth0 5',
      '/sys/fs/cgroup/rdma/engine-room/box/rdma.max=mlx4_0 hca_handle=3 hca_object=max',
    ]),
  );
  expect(() =>
    compile({ linux: { resources } }, factsOf({ hierarchies: [v1('devices')] })),
  ).toThrow('no cgroup controller rdma mounted');
  expect(() => compile({ linux: { resources: { rdma: resources.rdma } } })).toThrow(
    "this machine's cgroup v2 has no controller rdma",
  );
  expect(() => compile({ linux: { resources: { network: { classID: 1 } } } })).toThrow(
    'linux.resources.network.classID does not exist on cgroup v2',
  );
});
