/** The counters of a container's cgroup as `docker stats` gets them. cgroups(7), kernel's cgroup-v1/ and cgroup-v2. */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { MetricsSchema as V1Schema } from '../protocol/gen/containerd/cgroup-v1-metrics_pb.ts';
import { MetricsSchema as V2Schema } from '../protocol/gen/containerd/cgroup-v2-metrics_pb.ts';
import type { ContainerCgroup } from './container-cgroup.ts';
import { ioMetricsV1, ioMetricsV2 } from './io-metrics.ts';

/** `max` and what is no number count as no limit. */
const number = (text: string | null | undefined): bigint =>
  text && /^\d+$/.test(text) ? BigInt(text) : 0n;

/** Files of lines "name number". */
const table = (text: string | null): ReadonlyMap<string, bigint> =>
  new Map(
    (text ?? '').split('\n').map((line) => [line.split(' ')[0] ?? '', number(line.split(' ')[1])]),
  );

/** cpuacct.stat counts in ticks of 1/100 s, whatever the kernel's own clock does. time(7) */
const NANOSECONDS_A_TICK = 10_000_000n;

const readV1 = (cgroup: ContainerCgroup): MessageInitShape<typeof V1Schema> => {
  const memory = (file: string) => number(cgroup.read('memory', `memory.${file}`));
  const entry = (prefix: string) => ({
    usage: memory(`${prefix}usage_in_bytes`),
    limit: memory(`${prefix}limit_in_bytes`),
    max: memory(`${prefix}max_usage_in_bytes`),
    failcnt: memory(`${prefix}failcnt`),
  });
  const stat = table(cgroup.read('memory', 'memory.stat'));
  const oom = table(cgroup.read('memory', 'memory.oom_control'));
  const cpu = table(cgroup.read('cpuacct', 'cpuacct.stat'));
  const throttle = table(cgroup.read('cpu', 'cpu.stat'));
  const of = (map: ReadonlyMap<string, bigint>, name: string) => map.get(name) ?? 0n;
  return {
    pids: {
      current: number(cgroup.read('pids', 'pids.current')),
      limit: number(cgroup.read('pids', 'pids.max')),
    },
    cpu: {
      usage: {
        total: number(cgroup.read('cpuacct', 'cpuacct.usage')),
        user: of(cpu, 'user') * NANOSECONDS_A_TICK,
        kernel: of(cpu, 'system') * NANOSECONDS_A_TICK,
        perCpu: (cgroup.read('cpuacct', 'cpuacct.usage_percpu') ?? '')
          .split(' ')
          .filter(Boolean)
          .map(number),
      },
      throttling: {
        periods: of(throttle, 'nr_periods'),
        throttledPeriods: of(throttle, 'nr_throttled'),
        throttledTime: of(throttle, 'throttled_time'),
      },
    },
    memory: {
      cache: of(stat, 'cache'),
      rss: of(stat, 'rss'),
      inactiveFile: of(stat, 'inactive_file'),
      totalCache: of(stat, 'total_cache'),
      totalRss: of(stat, 'total_rss'),
      totalInactiveFile: of(stat, 'total_inactive_file'),
      usage: entry(''),
      swap: entry('memsw.'),
    },
    blkio: ioMetricsV1(cgroup),
    memoryOomControl: {
      oomKillDisable: of(oom, 'oom_kill_disable'),
      underOom: of(oom, 'under_oom'),
      oomKill: of(oom, 'oom_kill'),
    },
  };
};

const readV2 = (cgroup: ContainerCgroup): MessageInitShape<typeof V2Schema> => {
  const cpu = table(cgroup.read('cpu', 'cpu.stat'));
  const stat = table(cgroup.read('memory', 'memory.stat'));
  const events = table(cgroup.read('memory', 'memory.events'));
  const memory = (file: string) => number(cgroup.read('memory', `memory.${file}`));
  const of = (map: ReadonlyMap<string, bigint>, name: string) => map.get(name) ?? 0n;
  return {
    pids: {
      current: number(cgroup.read('pids', 'pids.current')),
      limit: number(cgroup.read('pids', 'pids.max')),
    },
    cpu: {
      usageUsec: of(cpu, 'usage_usec'),
      userUsec: of(cpu, 'user_usec'),
      systemUsec: of(cpu, 'system_usec'),
      nrPeriods: of(cpu, 'nr_periods'),
      nrThrottled: of(cpu, 'nr_throttled'),
      throttledUsec: of(cpu, 'throttled_usec'),
    },
    memory: {
      anon: of(stat, 'anon'),
      file: of(stat, 'file'),
      inactiveFile: of(stat, 'inactive_file'),
      activeFile: of(stat, 'active_file'),
      usage: memory('current'),
      usageLimit: memory('max'),
      swapUsage: memory('swap.current'),
      swapLimit: memory('swap.max'),
      maxUsage: memory('peak'),
    },
    io: ioMetricsV2(cgroup),
    memoryEvents: {
      low: of(events, 'low'),
      high: of(events, 'high'),
      max: of(events, 'max'),
      oom: of(events, 'oom'),
      oomKill: of(events, 'oom_kill'),
      oomGroupKill: of(events, 'oom_group_kill'),
    },
  };
};

export const readMetrics = (
  cgroup: ContainerCgroup,
): { readonly typeUrl: string; readonly value: Uint8Array } =>
  cgroup.isVersion2
    ? { typeUrl: V2Schema.typeName, value: toBinary(V2Schema, create(V2Schema, readV2(cgroup))) }
    : { typeUrl: V1Schema.typeName, value: toBinary(V1Schema, create(V1Schema, readV1(cgroup))) };
