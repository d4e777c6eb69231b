/**
 * `-m`, `--cpus`, `--pids-limit` and the rest → the cgroup limits of config.json.
 * Upstream: moby daemon/oci_linux.go WithResources, daemon/daemon_unix.go getCPUResources.
 * Reference: https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { LinuxDeviceCgroup, LinuxResources } from '../../protocol/oci/runtime-spec.ts';

const CPU_PERIOD_US = 100_000;
const NANO_CPUS_PER_CPU = 1_000_000_000;

const character = (major: number, minor: number | null, access = 'rwm'): LinuxDeviceCgroup => ({
  allow: true,
  type: 'c',
  major,
  ...(minor === null ? {} : { minor }),
  access,
});

/** Nothing, except making any node (mknod alone opens nothing) and using the harmless ones. */
const DEVICE_RULES: readonly LinuxDeviceCgroup[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
  character(5, 0), // tty
  character(5, 1), // console
  character(5, 2), // ptmx
  character(136, null), // pts
];

const cpu = (host: HostConfig): LinuxResources['cpu'] => {
  const limits: NonNullable<LinuxResources['cpu']> = {};
  if (host.CpuShares > 0) limits.shares = host.CpuShares;
  if (host.NanoCpus > 0) {
    limits.period = CPU_PERIOD_US;
    limits.quota = Math.floor((host.NanoCpus * CPU_PERIOD_US) / NANO_CPUS_PER_CPU);
  }
  if (host.CpuPeriod > 0) limits.period = host.CpuPeriod;
  if (host.CpuQuota !== 0) limits.quota = host.CpuQuota;
  if (host.CpusetCpus) limits.cpus = host.CpusetCpus;
  if (host.CpusetMems) limits.mems = host.CpusetMems;
  return limits;
};

const memory = (host: HostConfig): LinuxResources['memory'] => {
  const limits: NonNullable<LinuxResources['memory']> = {};
  if (host.Memory > 0) {
    limits.limit = host.Memory;
    // Memory and swap together. Not given: twice the memory, as Docker does.
    limits.swap = host.MemorySwap === 0 ? host.Memory * 2 : host.MemorySwap;
  }
  if (host.MemoryReservation > 0) limits.reservation = host.MemoryReservation;
  if (host.MemorySwappiness !== null && host.MemorySwappiness >= 0) {
    limits.swappiness = host.MemorySwappiness;
  }
  if (host.OomKillDisable) limits.disableOOMKiller = true;
  return limits;
};

export const containerResources = (host: HostConfig): LinuxResources => {
  const resources: LinuxResources = { devices: [...DEVICE_RULES] };
  const memoryLimits = memory(host) ?? {};
  const cpuLimits = cpu(host) ?? {};
  if (Object.keys(memoryLimits).length > 0) resources.memory = memoryLimits;
  if (Object.keys(cpuLimits).length > 0) resources.cpu = cpuLimits;
  // 0 and below: no limit.
  if (host.PidsLimit !== null && host.PidsLimit > 0) resources.pids = { limit: host.PidsLimit };
  return resources;
};
