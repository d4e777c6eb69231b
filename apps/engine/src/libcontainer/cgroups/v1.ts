/**
 * Limits on cgroup version 1: each controller has a hierarchy and files of its own.
 * cgroups(7), kernel Documentation/admin-guide/cgroup-v1/. Upstream: opencontainers/cgroups fs/.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxDeviceCgroup, LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import type { HostFacts, HostFiles } from '../host-facts.ts';
import { ERRNO } from '../plan/errno.ts';
import { deviceRules } from './device-rules.ts';
import type { Cgroup } from './paths.ts';
import { rdmaLimits } from './rdma.ts';
import type { Limit } from './setup.ts';

/** Controller → its files, in the order of writing. */
type Limits = Partial<Record<string, Limit[]>>;

export const v1Limits = (
  facts: HostFacts,
  cgroups: readonly Cgroup[],
  resources: LinuxResources,
): ReadonlyMap<Cgroup, readonly Limit[]> => {
  if (Object.keys(resources.unified ?? {}).length > 0) {
    throw new EngineError(
      'invalid_argument',
      'invalid configuration: linux.resources.unified needs cgroup v2, and this machine has cgroup v1',
    );
  }
  const wanted: Limits = {
    devices: deviceLimits(resources.devices ?? []),
    memory: memoryLimits(facts, cgroups, resources),
    pids: pidsLimits(resources),
    cpu: cpuLimits(resources),
    cpuset: cpusetLimits(resources),
    blkio: blkioLimits(resources),
    hugetlb: hugetlbLimits(resources),
    rdma: rdmaLimits(resources),
    net_cls: classLimits(resources),
    net_prio: priorityLimits(resources),
  };
  const limits = new Map<Cgroup, Limit[]>();
  for (const [controller, files] of Object.entries(wanted)) {
    if (!files || files.length === 0) continue;
    const cgroup = cgroups.find(
      ({ hierarchy }) => hierarchy.version === 1 && hierarchy.controllers.includes(controller),
    );
    if (cgroup) limits.set(cgroup, [...(limits.get(cgroup) ?? []), ...files]);
    // Without the devices controller there is nothing to protect the host's disks from CAP_MKNOD.
    else
      throw new EngineError(
        'failed_precondition',
        `cannot limit ${controller}: this machine has no cgroup controller ${controller} mounted`,
      );
  }
  return limits;
};

const deviceLimits = (rules: readonly LinuxDeviceCgroup[]): Limit[] => [
  { file: 'devices.deny', value: 'a', title: 'no device may be used …', level: 'detail' },
  ...deviceRules(rules).map(({ allow, text }) => ({
    file: allow ? 'devices.allow' : 'devices.deny',
    value: text,
    title: `${allow ? '… but' : '… and not'} ${text}`,
  })),
];

const memoryLimits = (
  facts: HostFacts,
  cgroups: readonly Cgroup[],
  { memory }: LinuxResources,
): Limit[] => {
  if (!memory) return [];
  const limits: Limit[] = [];
  const { limit, swap } = memory;
  if (limit)
    limits.push({
      file: 'memory.limit_in_bytes',
      value: String(limit),
      title: `at most ${limit} bytes of memory`,
    });
  if (swap) {
    if (limit && limit > 0 && swap > 0 && swap < limit) {
      throw new EngineError(
        'invalid_argument',
        `memory+swap (${swap}) must not be smaller than memory (${limit})`,
      );
    }
    const root =
      cgroups.find(({ hierarchy }) => hierarchy.controllers.includes('memory'))?.hierarchy
        .mountPoint ?? '';
    if (!facts.files.exists(`${root}/memory.memsw.limit_in_bytes`)) {
      throw new EngineError(
        'failed_precondition',
        'cannot limit swap: this kernel does not account for it (boot with swapaccount=1)',
      );
    }
    limits.push({
      file: 'memory.memsw.limit_in_bytes',
      value: String(swap),
      title: `at most ${swap} bytes of memory and swap together`,
    });
  }
  if (memory.reservation)
    limits.push({
      file: 'memory.soft_limit_in_bytes',
      value: String(memory.reservation),
      title: 'memory that is left to it under pressure',
    });
  if (memory.kernelTCP)
    limits.push({
      file: 'memory.kmem.tcp.limit_in_bytes',
      value: String(memory.kernelTCP),
      title: 'memory for TCP buffers',
    });
  if (memory.swappiness != null)
    limits.push({
      file: 'memory.swappiness',
      value: String(memory.swappiness),
      title: 'how readily its pages are swapped out',
    });
  if (memory.disableOOMKiller)
    limits.push({
      file: 'memory.oom_control',
      value: '1',
      title: 'wait instead of being killed when memory runs out',
    });
  return limits;
};

const pidsLimits = ({ pids }: LinuxResources): Limit[] => {
  if (!pids?.limit) return [];
  const value = pids.limit > 0 ? String(pids.limit) : 'max';
  return [{ file: 'pids.max', value, title: `at most ${value} processes and threads` }];
};

const cpuLimits = ({ cpu }: LinuxResources): Limit[] => {
  if (!cpu) return [];
  const limits: Limit[] = [];
  if (cpu.shares)
    limits.push({
      file: 'cpu.shares',
      value: String(cpu.shares),
      title: 'its share of the processors when they are busy',
    });
  if (cpu.period)
    limits.push({
      file: 'cpu.cfs_period_us',
      value: String(cpu.period),
      title: `processor time is counted every ${cpu.period} µs`,
    });
  if (cpu.quota)
    limits.push({
      file: 'cpu.cfs_quota_us',
      value: String(cpu.quota),
      title: `at most ${cpu.quota} µs of processor time a period`,
    });
  if (cpu.burst != null)
    limits.push({
      file: 'cpu.cfs_burst_us',
      value: String(cpu.burst),
      title: 'unused time that it may save up',
    });
  if (cpu.realtimePeriod)
    limits.push({
      file: 'cpu.rt_period_us',
      value: String(cpu.realtimePeriod),
      title: 'realtime period',
    });
  if (cpu.realtimeRuntime)
    limits.push({
      file: 'cpu.rt_runtime_us',
      value: String(cpu.realtimeRuntime),
      title: 'realtime per period',
    });
  if (cpu.idle != null)
    limits.push({
      file: 'cpu.idle',
      value: String(cpu.idle),
      title: 'run only when nobody else wants to',
    });
  return limits;
};

const cpusetLimits = ({ cpu }: LinuxResources): Limit[] => [
  ...(cpu?.cpus
    ? [{ file: 'cpuset.cpus', value: cpu.cpus, title: `only the processors ${cpu.cpus}` }]
    : []),
  ...(cpu?.mems
    ? [{ file: 'cpuset.mems', value: cpu.mems, title: `only the memory nodes ${cpu.mems}` }]
    : []),
];

/** Of the two schedulers that know weights a kernel has one or none, and only a cgroup below the root shows which. */
const weightLimits = (file: string, value: string, title: string): readonly Limit[] => [
  { file: `blkio.${file}`, value, title, ignore: [ERRNO.ENOENT] },
  {
    file: `blkio.bfq.${file}`,
    value,
    title,
    guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOENT },
  },
];

const blkioLimits = ({ blockIO }: LinuxResources): Limit[] => {
  if (!blockIO) return [];
  const limits: Limit[] = [
    ...(blockIO.weight
      ? weightLimits('weight', String(blockIO.weight), 'its share of the disks')
      : []),
    ...(blockIO.weightDevice ?? []).flatMap(({ major, minor, weight }) =>
      weightLimits(
        'weight_device',
        `${major}:${minor} ${weight}`,
        `its share of the disk ${major}:${minor}`,
      ),
    ),
  ];
  const throttles = [
    ['blkio.throttle.read_bps_device', blockIO.throttleReadBpsDevice],
    ['blkio.throttle.write_bps_device', blockIO.throttleWriteBpsDevice],
    ['blkio.throttle.read_iops_device', blockIO.throttleReadIOPSDevice],
    ['blkio.throttle.write_iops_device', blockIO.throttleWriteIOPSDevice],
  ] as const;
  for (const [file, devices] of throttles) {
    for (const { major, minor, rate } of devices ?? []) {
      limits.push({
        file,
        value: `${major}:${minor} ${rate}`,
        title: `at most ${rate} a second on disk ${major}:${minor}`,
      });
    }
  }
  return limits;
};

const hugetlbLimits = ({ hugepageLimits }: LinuxResources): Limit[] =>
  (hugepageLimits ?? []).map(({ pageSize, limit }) => ({
    file: `hugetlb.${pageSize}.limit_in_bytes`,
    value: String(limit),
    title: `at most ${limit} bytes in pages of ${pageSize}`,
  }));

const classLimits = ({ network }: LinuxResources): Limit[] =>
  network?.classID
    ? [
        {
          file: 'net_cls.classid',
          value: String(network.classID),
          title: 'the class that its packets bear',
        },
      ]
    : [];

const priorityLimits = ({ network }: LinuxResources): Limit[] =>
  (network?.priorities ?? []).map(({ name, priority }) => ({
    file: 'net_prio.ifpriomap',
    value: `${name} ${priority}`,
    title: `the priority of its packets on ${name}`,
  }));

/**
 * A new cpuset is empty, and nobody can join an empty one: each new (or empty) level takes over what the level above has.
 */
export const cpusetValues = (
  { hierarchy }: Cgroup,
  levels: readonly string[],
  files: Pick<HostFiles, 'read'>,
): ReadonlyMap<string, readonly Limit[]> => {
  const values = new Map<string, Limit[]>();
  if (hierarchy.version !== 1 || !hierarchy.controllers.includes('cpuset')) return values;
  for (const [file, what] of [
    ['cpuset.cpus', 'processors'],
    ['cpuset.mems', 'memory nodes'],
  ] as const) {
    let above = files.read(`${hierarchy.mountPoint}/${file}`) ?? '';
    for (const path of levels) {
      const own = files.read(`${path}/${file}`) ?? '';
      if (own === '') {
        values.set(path, [
          ...(values.get(path) ?? []),
          { file, value: above, title: `the same ${what} as the level above: ${above}` },
        ]);
      } else above = own;
    }
  }
  return values;
};
