/**
 * Limits on cgroup version 2: one hierarchy, and controllers that must be switched on level by level.
 * cgroups(7), kernel Documentation/admin-guide/cgroup-v2.rst. Upstream: opencontainers/cgroups fs2/.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import type { HostFacts } from '../host-facts.ts';
import { ERRNO } from '../plan/errno.ts';
import type { Cgroup } from './paths.ts';
import { rdmaLimits } from './rdma.ts';
import type { Limit } from './setup.ts';

/** Switched on for every container where the machine has them: they also count, not only limit. */
const ALWAYS = ['memory', 'pids', 'cpu', 'io'];

const neededControllers = (resources: LinuxResources): readonly string[] => {
  const { memory, pids, cpu, blockIO, hugepageLimits, rdma } = resources;
  return [
    ...(memory &&
    Object.values(memory).some((value) => value != null && value !== false && value !== 0)
      ? ['memory']
      : []),
    ...(pids?.limit ? ['pids'] : []),
    ...(cpu?.shares || cpu?.quota || cpu?.period || cpu?.idle != null ? ['cpu'] : []),
    ...(cpu?.cpus || cpu?.mems ? ['cpuset'] : []),
    ...(Object.values(blockIO ?? {}).some((value) =>
      Array.isArray(value) ? value.length > 0 : Boolean(value),
    )
      ? ['io']
      : []),
    ...((hugepageLimits ?? []).length > 0 ? ['hugetlb'] : []),
    ...(Object.keys(rdma ?? {}).length > 0 ? ['rdma'] : []),
  ];
};

/** Refuses a limit that this machine cannot keep. */
export const controllersToEnable = (
  { hierarchy }: Cgroup,
  resources: LinuxResources,
): readonly string[] => {
  const needed = neededControllers(resources);
  const missing = needed.find((controller) => !hierarchy.controllers.includes(controller));
  if (missing) {
    throw new EngineError(
      'failed_precondition',
      `cannot limit ${missing}: this machine's cgroup v2 has no controller ${missing}`,
    );
  }
  return [...new Set([...ALWAYS, ...needed])].filter((controller) =>
    hierarchy.controllers.includes(controller),
  );
};

export const v2Limits = (
  facts: HostFacts,
  cgroups: readonly Cgroup[],
  resources: LinuxResources,
): ReadonlyMap<Cgroup, readonly Limit[]> => {
  const [cgroup] = cgroups;
  if (!cgroup)
    throw new EngineError('failed_precondition', 'no cgroup filesystem is mounted on this machine');
  refuseV1Only(resources);
  return new Map([
    [
      cgroup,
      [
        ...memoryLimits(facts, resources),
        ...pidsLimits(resources),
        ...cpuLimits(resources),
        ...ioLimits(resources),
        ...(resources.hugepageLimits ?? []).map(({ pageSize, limit }) => ({
          file: `hugetlb.${pageSize}.max`,
          value: String(limit),
          title: `at most ${limit} bytes in pages of ${pageSize}`,
        })),
        ...rdmaLimits(resources),
        ...Object.entries(resources.unified ?? {}).map(([file, value]) =>
          unifiedLimit(file, value),
        ),
      ],
    ],
  ]);
};

const refuseV1Only = ({ memory, cpu, network }: LinuxResources): void => {
  const named: readonly (readonly [string, unknown])[] = [
    ['memory.kernelTCP', memory?.kernelTCP],
    ['memory.swappiness', memory?.swappiness],
    ['memory.disableOOMKiller', memory?.disableOOMKiller],
    ['cpu.realtimeRuntime', cpu?.realtimeRuntime],
    ['cpu.realtimePeriod', cpu?.realtimePeriod],
    ['network.classID', network?.classID],
    ['network.priorities', network?.priorities?.length],
  ];
  const first = named.find(
    ([, value]) => value !== undefined && value !== null && value !== false && value !== 0,
  );
  if (first)
    throw new EngineError(
      'failed_precondition',
      `linux.resources.${first[0]} does not exist on cgroup v2`,
    );
};

/** -1 stands for "no limit". */
const maxOr = (value: number): string => (value < 0 ? 'max' : String(value));

const memoryLimits = (_facts: HostFacts, { memory }: LinuxResources): Limit[] => {
  if (!memory) return [];
  const limits: Limit[] = [];
  const { limit, swap, reservation } = memory;
  if (swap) {
    // Version 2 counts swap alone, config.json (as version 1) memory and swap together.
    if (swap > 0 && (!limit || limit < 0))
      throw new EngineError('invalid_argument', 'a limit of memory+swap needs a limit of memory');
    if (swap > 0 && limit && swap < limit) {
      throw new EngineError(
        'invalid_argument',
        `memory+swap (${swap}) must not be smaller than memory (${limit})`,
      );
    }
    const alone = swap < 0 ? 'max' : String(swap - (limit ?? 0));
    limits.push({ file: 'memory.swap.max', value: alone, title: `at most ${alone} bytes of swap` });
  }
  if (limit)
    limits.push({
      file: 'memory.max',
      value: maxOr(limit),
      title: `at most ${maxOr(limit)} bytes of memory`,
    });
  if (reservation)
    limits.push({
      file: 'memory.low',
      value: maxOr(reservation),
      title: 'memory that is left to it under pressure',
    });
  return limits;
};

const pidsLimits = ({ pids }: LinuxResources): Limit[] => {
  if (!pids?.limit) return [];
  const value = pids.limit > 0 ? String(pids.limit) : 'max';
  return [{ file: 'pids.max', value, title: `at most ${value} processes and threads` }];
};

/** cpu.shares (2…262144, default 1024) → cpu.weight (1…10000), the conversion that all runtimes agree on. */
export const weightOfShares = (shares: number): number =>
  1 + Math.floor(((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);

const cpuLimits = ({ cpu }: LinuxResources): Limit[] => {
  if (!cpu) return [];
  const limits: Limit[] = [];
  if (cpu.idle != null)
    limits.push({
      file: 'cpu.idle',
      value: String(cpu.idle),
      title: 'run only when nobody else wants to',
    });
  if (cpu.shares)
    limits.push({
      file: 'cpu.weight',
      value: String(weightOfShares(cpu.shares)),
      title: 'its share of the processors when they are busy',
    });
  if (cpu.quota || cpu.period) {
    const quota = cpu.quota && cpu.quota > 0 ? String(cpu.quota) : 'max';
    const value = `${quota} ${cpu.period || 100_000}`;
    limits.push({
      file: 'cpu.max',
      value,
      title: `at most ${quota} µs of processor time in ${cpu.period || 100_000} µs`,
    });
  }
  if (cpu.burst != null)
    limits.push({
      file: 'cpu.max.burst',
      value: String(cpu.burst),
      title: 'unused time that it may save up',
    });
  if (cpu.cpus)
    limits.push({ file: 'cpuset.cpus', value: cpu.cpus, title: `only the processors ${cpu.cpus}` });
  if (cpu.mems)
    limits.push({
      file: 'cpuset.mems',
      value: cpu.mems,
      title: `only the memory nodes ${cpu.mems}`,
    });
  return limits;
};

const ioLimits = ({ blockIO }: LinuxResources): Limit[] => {
  if (!blockIO) return [];
  const limits: Limit[] = [];
  if (blockIO.weight) {
    const title = 'its share of the disks';
    // The scheduler BFQ has weights of its own, in the numbers of config.json. Whether it is there is seen only now.
    limits.push({
      file: 'io.bfq.weight',
      value: String(blockIO.weight),
      title,
      ignore: [ERRNO.ENOENT],
    });
    // blkio weights are 10…1000, io weights 1…10000.
    const weight = 1 + Math.floor(((blockIO.weight - 10) * 9999) / 990);
    limits.push({
      file: 'io.weight',
      value: String(weight),
      title,
      guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOENT },
    });
  }
  for (const { major, minor, weight } of blockIO.weightDevice ?? [])
    limits.push({
      file: 'io.bfq.weight',
      value: `${major}:${minor} ${weight}`,
      title: `its share of the disk ${major}:${minor}`,
    });
  const throttles = [
    ['rbps', blockIO.throttleReadBpsDevice],
    ['wbps', blockIO.throttleWriteBpsDevice],
    ['riops', blockIO.throttleReadIOPSDevice],
    ['wiops', blockIO.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices] of throttles) {
    for (const { major, minor, rate } of devices ?? []) {
      limits.push({
        file: 'io.max',
        value: `${major}:${minor} ${key}=${rate}`,
        title: `at most ${rate} a second on disk ${major}:${minor}`,
      });
    }
  }
  return limits;
};

const unifiedLimit = (file: string, value: string): Limit => {
  if (!/^[a-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(file))
    throw new EngineError('invalid_argument', `${file} is not the name of a cgroup file`);
  return { file, value, title: `${file} as config.json says` };
};
