/**
 * `-m`, `--cpus`, `--pids-limit`, `--device-read-bps` and the rest → the cgroup limits of config.json.
 * Upstream: moby daemon/oci_linux.go WithResources, daemon/daemon_unix.go getCPUResources.
 * Reference: https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { LinuxDeviceCgroup, LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import { numbersAt } from './host-devices.ts';

const CPU_PERIOD_US = 100_000;
const NANO_CPUS_PER_CPU = 1_000_000_000;

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
  if (host.CpuRealtimePeriod !== 0) limits.realtimePeriod = host.CpuRealtimePeriod;
  if (host.CpuRealtimeRuntime !== 0) limits.realtimeRuntime = host.CpuRealtimeRuntime;
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

const throttle = (devices: HostConfig['BlkioDeviceReadBps']) =>
  devices.map(({ Path, Rate }) => ({ ...numbersAt(Path), rate: Rate }));

const blockIO = (host: HostConfig): LinuxResources['blockIO'] => {
  const limits: NonNullable<LinuxResources['blockIO']> = {};
  if (host.BlkioWeight > 0) limits.weight = host.BlkioWeight;
  if (host.BlkioWeightDevice.length > 0) {
    limits.weightDevice = host.BlkioWeightDevice.map(({ Path, Weight }) => ({
      ...numbersAt(Path),
      weight: Weight,
    }));
  }
  if (host.BlkioDeviceReadBps.length > 0) {
    limits.throttleReadBpsDevice = throttle(host.BlkioDeviceReadBps);
  }
  if (host.BlkioDeviceWriteBps.length > 0) {
    limits.throttleWriteBpsDevice = throttle(host.BlkioDeviceWriteBps);
  }
  if (host.BlkioDeviceReadIOps.length > 0) {
    limits.throttleReadIOPSDevice = throttle(host.BlkioDeviceReadIOps);
  }
  if (host.BlkioDeviceWriteIOps.length > 0) {
    limits.throttleWriteIOPSDevice = throttle(host.BlkioDeviceWriteIOps);
  }
  return limits;
};

export const containerResources = (
  host: HostConfig,
  devices: readonly LinuxDeviceCgroup[],
): LinuxResources => {
  const resources: LinuxResources = { devices: [...devices] };
  const memoryLimits = memory(host) ?? {};
  const cpuLimits = cpu(host) ?? {};
  const ioLimits = blockIO(host) ?? {};
  if (Object.keys(memoryLimits).length > 0) resources.memory = memoryLimits;
  if (Object.keys(cpuLimits).length > 0) resources.cpu = cpuLimits;
  if (Object.keys(ioLimits).length > 0) resources.blockIO = ioLimits;
  // 0 and below: no limit.
  if (host.PidsLimit !== null && host.PidsLimit > 0) resources.pids = { limit: host.PidsLimit };
  return resources;
};
