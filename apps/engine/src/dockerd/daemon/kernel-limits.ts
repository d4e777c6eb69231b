/**
 * Which limits this kernel can set. What it cannot is dropped with a warning, as in Docker: the container is made all
 * the same. Upstream: moby pkg/sysinfo, daemon/daemon_unix.go verifyPlatformContainerResources.
 * Reference: https://docs.kernel.org/admin-guide/cgroup-v1/index.html
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';

const CGROUPS = '/sys/fs/cgroup';

/** What a kernel file says, or null where there is none. */
export const kernelWord = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
};

export const isCgroup2 = (): boolean => existsSync(join(CGROUPS, 'cgroup.controllers'));

/** On version 2 a controller has all its files or none; on version 1 a kernel may lack some. */
const limitFinder = () => {
  const controllers = kernelWord(join(CGROUPS, 'cgroup.controllers'))?.split(' ');
  return (controllerV1: string, file: string, controllerV2: string | null): boolean =>
    controllers
      ? controllerV2 !== null && controllers.includes(controllerV2)
      : existsSync(join(CGROUPS, controllerV1, file));
};

export interface KernelLimits {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly swappiness: boolean;
  readonly reservation: boolean;
  readonly oomKillDisable: boolean;
  readonly pids: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly ioWeight: boolean;
  readonly ioWeightDevice: boolean;
  readonly readBps: boolean;
  readonly writeBps: boolean;
  readonly readIOps: boolean;
  readonly writeIOps: boolean;
}

export const kernelLimits = (): KernelLimits => {
  const has = limitFinder();
  return {
    memory: has('memory', 'memory.limit_in_bytes', 'memory'),
    swap: isCgroup2()
      ? existsSync('/proc/swaps')
      : has('memory', 'memory.memsw.limit_in_bytes', 'memory'),
    swappiness: has('memory', 'memory.swappiness', null),
    reservation: has('memory', 'memory.soft_limit_in_bytes', 'memory'),
    oomKillDisable: has('memory', 'memory.oom_control', null),
    pids: has('pids', 'tasks', 'pids'),
    cpuShares: has('cpu', 'cpu.shares', 'cpu'),
    cpuQuota: has('cpu', 'cpu.cfs_quota_us', 'cpu'),
    cpuRealtime: has('cpu', 'cpu.rt_runtime_us', null),
    cpuset: has('cpuset', 'cpuset.cpus', 'cpuset'),
    ioWeight: has('blkio', 'blkio.weight', 'io'),
    ioWeightDevice: has('blkio', 'blkio.weight_device', 'io'),
    readBps: has('blkio', 'blkio.throttle.read_bps_device', 'io'),
    writeBps: has('blkio', 'blkio.throttle.write_bps_device', 'io'),
    readIOps: has('blkio', 'blkio.throttle.read_iops_device', 'io'),
    writeIOps: has('blkio', 'blkio.throttle.write_iops_device', 'io'),
  };
};

type Loss = readonly [
  isLost: (host: HostConfig) => boolean,
  limit: keyof KernelLimits,
  warning: string,
  instead: Partial<HostConfig>,
];

const orNotMounted = (what: string, end: string): string =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${end}`;

const LOSSES: readonly Loss[] = [
  [
    (host) => host.Memory > 0,
    'memory',
    orNotMounted('memory limit capabilities', 'Limitation discarded.'),
    { Memory: 0, MemorySwap: -1 },
  ],
  [
    (host) => host.Memory > 0 && host.MemorySwap !== -1,
    'swap',
    orNotMounted('swap limit capabilities', 'Memory limited without swap.'),
    { MemorySwap: -1 },
  ],
  [
    (host) => host.MemorySwappiness !== null && host.MemorySwappiness >= 0,
    'swappiness',
    orNotMounted('memory swappiness capabilities', 'Memory swappiness discarded.'),
    { MemorySwappiness: null },
  ],
  [
    (host) => host.MemoryReservation > 0,
    'reservation',
    orNotMounted('memory soft limit capabilities', 'Limitation discarded.'),
    { MemoryReservation: 0 },
  ],
  [
    (host) => host.OomKillDisable === true,
    'oomKillDisable',
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    { OomKillDisable: null },
  ],
  [
    (host) => (host.PidsLimit ?? 0) > 0,
    'pids',
    orNotMounted('PIDs limit capabilities', 'PIDs limit discarded.'),
    { PidsLimit: null },
  ],
  [
    (host) => host.CpuShares > 0,
    'cpuShares',
    orNotMounted('CPU shares', 'Shares discarded.'),
    { CpuShares: 0 },
  ],
  [
    (host) => host.CpuPeriod !== 0 || host.CpuQuota !== 0,
    'cpuQuota',
    'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
    { CpuPeriod: 0, CpuQuota: 0 },
  ],
  [
    (host) => host.CpusetCpus !== '' || host.CpusetMems !== '',
    'cpuset',
    orNotMounted('cpuset', 'Cpuset discarded.'),
    { CpusetCpus: '', CpusetMems: '' },
  ],
  [
    (host) => host.BlkioWeight > 0,
    'ioWeight',
    orNotMounted('Block I/O weight', 'Weight discarded.'),
    { BlkioWeight: 0 },
  ],
  [
    (host) => host.BlkioWeightDevice.length > 0,
    'ioWeightDevice',
    orNotMounted('Block I/O weight_device', 'Weight-device discarded.'),
    { BlkioWeightDevice: [] },
  ],
  [
    (host) => host.BlkioDeviceReadBps.length > 0,
    'readBps',
    orNotMounted('BPS Block I/O read limit', 'Block I/O BPS read limit discarded.'),
    { BlkioDeviceReadBps: [] },
  ],
  [
    (host) => host.BlkioDeviceWriteBps.length > 0,
    'writeBps',
    orNotMounted('BPS Block I/O write limit', 'Block I/O BPS write limit discarded.'),
    { BlkioDeviceWriteBps: [] },
  ],
  [
    (host) => host.BlkioDeviceReadIOps.length > 0,
    'readIOps',
    orNotMounted('IOPS Block read limit', 'Block I/O IOPS read limit discarded.'),
    { BlkioDeviceReadIOps: [] },
  ],
  [
    (host) => host.BlkioDeviceWriteIOps.length > 0,
    'writeIOps',
    orNotMounted('IOPS Block write limit', 'Block I/O IOPS write limit discarded.'),
    { BlkioDeviceWriteIOps: [] },
  ],
];

/** What is left of the wishes on this kernel, and what the user is told of the others. */
export const withinKernel = (
  asked: HostConfig,
  limits: KernelLimits = kernelLimits(),
): { readonly host: HostConfig; readonly warnings: string[] } => {
  let host = asked;
  const warnings: string[] = [];
  for (const [isLost, limit, warning, instead] of LOSSES) {
    if (limits[limit] || !isLost(host)) continue;
    host = { ...host, ...instead };
    warnings.push(warning);
  }
  // Asked of what is left: a weight that nobody can set is dropped, whatever it is.
  if (host.BlkioWeight !== 0 && (host.BlkioWeight < 10 || host.BlkioWeight > 1000)) {
    throw new EngineError('invalid_argument', 'Range of blkio weight is from 10 to 1000');
  }
  if (host.OomKillDisable === true && host.Memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  if (host.NetworkMode === 'host' && Object.keys(host.PortBindings).length > 0) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  return { host, warnings };
};
