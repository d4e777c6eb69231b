/**
 * `docker stats`: the counters of a container's cgroup and network, once a second. Percentages are the client's work:
 * it gets this reading and the one before. Upstream: moby daemon/{stats,stats_unix}.go, daemon/stats/collector.go.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { isRunning, ZERO_TIME } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Metrics } from '../containerd-client/measures.ts';
import type { Daemon } from './daemon.ts';

const NANOSECONDS_A_TICK = 1e7;
const NANOSECONDS_A_MICROSECOND = 1000;

const NO_IO = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};
const NO_CPU = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

type Cpu = typeof NO_CPU & { readonly system_cpu_usage?: number; readonly online_cpus?: number };

/** One reading as the API has it, without the one before. */
export interface Reading {
  readonly read: string;
  readonly cpu: Cpu;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Of a container that does not run. */
export const NO_READING: Reading = {
  read: ZERO_TIME,
  cpu: NO_CPU,
  rest: { pids_stats: {}, blkio_stats: NO_IO, memory_stats: {} },
};

export const takeReading = async (daemon: Daemon, container: Container): Promise<Reading> => {
  const { pid, status } = container.state;
  if (!isRunning(container.state) || status === 'restarting') return NO_READING;
  const metrics = await daemon.measures.metrics(container.id);
  if (!metrics) return NO_READING;
  return {
    read: new Date().toISOString(),
    cpu: { ...cpuOf(metrics), system_cpu_usage: systemCpu(), online_cpus: availableParallelism() },
    rest: {
      pids_stats: pidsOf(metrics),
      blkio_stats: ioOf(metrics),
      memory_stats: memoryOf(metrics),
      ...(await networksOf(container, pid)),
    },
  };
};

export const statsAnswer = (
  { id, name }: Container,
  now: Reading,
  before: Reading = NO_READING,
): unknown => ({
  name: `/${name}`,
  id,
  read: now.read,
  preread: before.read,
  num_procs: 0,
  storage_stats: {},
  cpu_stats: now.cpu,
  precpu_stats: before.cpu,
  ...now.rest,
});

const cpuOf = ({ version, of }: Metrics): typeof NO_CPU => {
  if (version === 1) {
    const { usage, throttling } = of.cpu ?? {};
    return {
      cpu_usage: {
        total_usage: Number(usage?.total ?? 0),
        ...(usage && usage.perCpu.length > 0 ? { percpu_usage: usage.perCpu.map(Number) } : {}),
        usage_in_kernelmode: Number(usage?.kernel ?? 0),
        usage_in_usermode: Number(usage?.user ?? 0),
      },
      throttling_data: {
        periods: Number(throttling?.periods ?? 0),
        throttled_periods: Number(throttling?.throttledPeriods ?? 0),
        throttled_time: Number(throttling?.throttledTime ?? 0),
      },
    };
  }
  const nanoseconds = (micros: bigint | undefined) =>
    Number(micros ?? 0) * NANOSECONDS_A_MICROSECOND;
  return {
    cpu_usage: {
      total_usage: nanoseconds(of.cpu?.usageUsec),
      usage_in_kernelmode: nanoseconds(of.cpu?.systemUsec),
      usage_in_usermode: nanoseconds(of.cpu?.userUsec),
    },
    throttling_data: {
      periods: Number(of.cpu?.nrPeriods ?? 0),
      throttled_periods: Number(of.cpu?.nrThrottled ?? 0),
      throttled_time: nanoseconds(of.cpu?.throttledUsec),
    },
  };
};

/** Version 1 counts kinds of requests that version 2 does not; what neither counts is empty. */
const ioOf = ({ version, of }: Metrics) => {
  const nothing = Object.fromEntries(Object.keys(NO_IO).map((name) => [name, []]));
  const entry = (major: bigint, minor: bigint, op: string, value: bigint) => ({
    major: Number(major),
    minor: Number(minor),
    op,
    value: Number(value),
  });
  if (version === 1) {
    const entries = (list: NonNullable<typeof of.blkio>['ioServicedRecursive'] | undefined) =>
      (list ?? []).map(({ major, minor, op, value }) => entry(major, minor, op, value));
    return {
      ...nothing,
      io_service_bytes_recursive: entries(of.blkio?.ioServiceBytesRecursive),
      io_serviced_recursive: entries(of.blkio?.ioServicedRecursive),
    };
  }
  const bytes = (of.io?.usage ?? []).flatMap(({ major, minor, rbytes, wbytes }) => [
    entry(major, minor, 'read', rbytes),
    entry(major, minor, 'write', wbytes),
  ]);
  return { ...nothing, io_service_bytes_recursive: bytes };
};

const pidsOf = ({ of }: Metrics) => {
  const current = Number(of.pids?.current ?? 0);
  const limit = Number(of.pids?.limit ?? 0);
  return { ...(current > 0 ? { current } : {}), ...(limit > 0 ? { limit } : {}) };
};

/** Without a limit it is the machine's memory that ends it. */
const limitOf = (limit: bigint | undefined): number =>
  limit && limit > 0n && limit < BigInt(totalmem()) ? Number(limit) : totalmem();

const memoryOf = ({ version, of }: Metrics) => {
  if (version === 2) {
    const { memory } = of;
    return {
      usage: Number(memory?.usage ?? 0),
      stats: {
        active_file: Number(memory?.activeFile ?? 0),
        anon: Number(memory?.anon ?? 0),
        file: Number(memory?.file ?? 0),
        inactive_file: Number(memory?.inactiveFile ?? 0),
      },
      limit: limitOf(memory?.usageLimit),
    };
  }
  const { memory } = of;
  return {
    usage: Number(memory?.usage?.usage ?? 0),
    max_usage: Number(memory?.usage?.max ?? 0),
    failcnt: Number(memory?.usage?.failcnt ?? 0),
    stats: {
      cache: Number(memory?.cache ?? 0),
      inactive_file: Number(memory?.inactiveFile ?? 0),
      rss: Number(memory?.rss ?? 0),
      total_cache: Number(memory?.totalCache ?? 0),
      total_inactive_file: Number(memory?.totalInactiveFile ?? 0),
      total_rss: Number(memory?.totalRss ?? 0),
    },
    limit: limitOf(memory?.usage?.limit),
  };
};

/** Time that all processors have spent, idle or not. proc_stat(5). */
const systemCpu = (): number => {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const ticks = first.trim().split(/\s+/).slice(1, 8);
  return ticks.reduce((sum, text) => sum + Number(text), 0) * NANOSECONDS_A_TICK;
};

/** The interfaces of the container's own network, as its first process has them. proc_pid_net(5). */
const networksOf = async ({ hostConfig }: Container, pid: number) => {
  if (hostConfig.NetworkMode === 'host') return {};
  const table = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => '');
  const entries = table.split('\n').flatMap((line) => {
    const [name, numbers] = line.split(':');
    if (numbers === undefined || name?.trim() === 'lo') return [];
    const [
      rxBytes,
      rxPackets,
      rxErrors,
      rxDropped,
      ,
      ,
      ,
      ,
      txBytes,
      txPackets,
      txErrors,
      txDropped,
    ] = numbers.trim().split(/\s+/).map(Number);
    return [
      [
        name?.trim() ?? '',
        {
          rx_bytes: rxBytes,
          rx_packets: rxPackets,
          rx_errors: rxErrors,
          rx_dropped: rxDropped,
          tx_bytes: txBytes,
          tx_packets: txPackets,
          tx_errors: txErrors,
          tx_dropped: txDropped,
        },
      ] as const,
    ];
  });
  return entries.length > 0 ? { networks: Object.fromEntries(entries) } : {};
};
