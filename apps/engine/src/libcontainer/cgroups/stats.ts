/**
 * What the kernel has counted for a container, in the form of `runc events`.
 * cgroups(7), kernel Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst. Upstream: runc types/events.go, opencontainers/cgroups fs/, fs2/.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type CgroupPaths = Readonly<Record<string, string>>;
/** Numbers of 64 bits: no limit on version 1 is 2^63 less a page, which a JavaScript number does not hold. */
export type Stats = { readonly [name: string]: bigint | readonly bigint[] | Stats | null };

/** Reads the files of one cgroup. What this kernel does not have is empty. */
class Folder {
  readonly #path: string | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  text(file: string): string {
    if (this.#path === undefined) return '';
    try {
      return readFileSync(join(this.#path, file), 'utf8').trim();
    } catch {
      return '';
    }
  }

  /** `max` counts as the largest number, what is missing as 0. */
  number(file: string): bigint {
    const text = this.text(file);
    if (text === 'max') return 2n ** 64n - 1n;
    return /^-?\d+$/.test(text) ? BigInt(text) : 0n;
  }

  /** Lines "name number". */
  table(file: string): ReadonlyMap<string, bigint> {
    return new Map(
      [...this.text(file).matchAll(/^(\S+) (\d+)$/gm)].map(([, name = '', value = '0']) => [
        name,
        BigInt(value),
      ]),
    );
  }

  /** `0-2,5` → 0, 1, 2, 5 */
  list(file: string): readonly bigint[] {
    return this.text(file)
      .split(',')
      .filter(Boolean)
      .flatMap((range) => {
        const [from = 0, to = from] = range.split('-').map(Number);
        return Array.from({ length: to - from + 1 }, (_, index) => BigInt(from + index));
      });
  }

  files(): readonly string[] {
    try {
      return this.#path === undefined ? [] : readdirSync(this.#path);
    } catch {
      return [];
    }
  }
}

const folderOf = (paths: CgroupPaths, controller: string): Folder =>
  new Folder(
    paths['unified'] !== undefined && Object.keys(paths).length === 1
      ? paths['unified']
      : Object.entries(paths).find(([names]) => names.split(',').includes(controller))?.[1],
  );

/** As Go's `omitempty`: what is zero is not said. */
const withoutZeros = (values: Readonly<Record<string, bigint>>): Stats =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0n));

const of = (table: ReadonlyMap<string, bigint>, name: string): bigint => table.get(name) ?? 0n;

/** cpuacct.stat counts in ticks of 1/100 s, whatever the kernel's own clock does. time(7) */
const NANOSECONDS_A_TICK = 10_000_000n;

export const readStats = (paths: CgroupPaths): Stats => {
  const isUnified = paths['unified'] !== undefined && Object.keys(paths).length === 1;
  return {
    cpu: isUnified ? cpuV2(folderOf(paths, 'cpu')) : cpuV1(paths),
    cpuset: cpuset(folderOf(paths, 'cpuset'), isUnified),
    memory: isUnified ? memoryV2(folderOf(paths, 'memory')) : memoryV1(folderOf(paths, 'memory')),
    pids: pids(folderOf(paths, 'pids')),
    blkio: {},
    hugetlb: hugetlb(folderOf(paths, 'hugetlb'), isUnified),
    intel_rdt: {},
    network_interfaces: null,
  };
};

const cpuV1 = (paths: CgroupPaths): Stats => {
  const [account, cpu] = [folderOf(paths, 'cpuacct'), folderOf(paths, 'cpu')];
  const ticks = account.table('cpuacct.stat');
  const throttling = cpu.table('cpu.stat');
  return {
    usage: {
      total: account.number('cpuacct.usage'),
      percpu: account.text('cpuacct.usage_percpu').split(' ').filter(Boolean).map(BigInt),
      kernel: of(ticks, 'system') * NANOSECONDS_A_TICK,
      user: of(ticks, 'user') * NANOSECONDS_A_TICK,
    },
    throttling: withoutZeros({
      periods: of(throttling, 'nr_periods'),
      throttledPeriods: of(throttling, 'nr_throttled'),
      throttledTime: of(throttling, 'throttled_time'),
    }),
  };
};

const cpuV2 = (cpu: Folder): Stats => {
  const stat = cpu.table('cpu.stat');
  return {
    usage: {
      total: of(stat, 'usage_usec') * 1000n,
      kernel: of(stat, 'system_usec') * 1000n,
      user: of(stat, 'user_usec') * 1000n,
    },
    throttling: withoutZeros({
      periods: of(stat, 'nr_periods'),
      throttledPeriods: of(stat, 'nr_throttled'),
      throttledTime: of(stat, 'throttled_usec') * 1000n,
    }),
  };
};

const cpuset = (folder: Folder, isUnified: boolean): Stats => {
  if (isUnified) return { cpus: folder.list('cpuset.cpus'), mems: folder.list('cpuset.mems') };
  const number = (name: string): bigint => folder.number(`cpuset.${name}`);
  return {
    cpus: folder.list('cpuset.cpus'),
    cpu_exclusive: number('cpu_exclusive'),
    mems: folder.list('cpuset.mems'),
    mem_hardwall: number('mem_hardwall'),
    mem_exclusive: number('mem_exclusive'),
    memory_migrate: number('memory_migrate'),
    memory_spread_page: number('memory_spread_page'),
    memory_spread_slab: number('memory_spread_slab'),
    memory_pressure: number('memory_pressure'),
    sched_load_balance: number('sched_load_balance'),
    sched_relax_domain_level: number('sched_relax_domain_level'),
  };
};

const memoryV1 = (memory: Folder): Stats => {
  const raw = memory.table('memory.stat');
  const entry = (prefix: string): Stats => {
    const number = (name: string): bigint => memory.number(`memory.${prefix}${name}`);
    return {
      limit: number('limit_in_bytes'),
      ...withoutZeros({ usage: number('usage_in_bytes'), max: number('max_usage_in_bytes') }),
      failcnt: number('failcnt'),
    };
  };
  return {
    cache: of(raw, 'cache'),
    usage: entry(''),
    swap: entry('memsw.'),
    kernel: entry('kmem.'),
    kernelTCP: entry('kmem.tcp.'),
    raw: Object.fromEntries(raw),
  };
};

const memoryV2 = (memory: Folder): Stats => {
  const raw = memory.table('memory.stat');
  const [usage, swap] = [memory.number('memory.current'), memory.number('memory.swap.current')];
  const [limit, swapLimit] = [memory.number('memory.max'), memory.number('memory.swap.max')];
  const largest = 2n ** 64n - 1n;
  return {
    cache: of(raw, 'file'),
    usage: { limit, ...withoutZeros({ usage, max: memory.number('memory.peak') }), failcnt: 0n },
    // config.json and version 1 count memory and swap together, version 2 swap alone.
    swap: {
      limit: limit === largest || swapLimit === largest ? largest : limit + swapLimit,
      ...withoutZeros({ usage: usage + swap }),
      failcnt: 0n,
    },
    kernel: { limit: 0n, failcnt: 0n },
    kernelTCP: { limit: 0n, failcnt: 0n },
    raw: Object.fromEntries(raw),
  };
};

const pids = (folder: Folder): Stats => {
  const limit = folder.text('pids.max') === 'max' ? 0n : folder.number('pids.max');
  return withoutZeros({ current: folder.number('pids.current'), limit });
};

const hugetlb = (folder: Folder, isUnified: boolean): Stats => {
  const limitFile = isUnified ? 'max' : 'limit_in_bytes';
  const sizes = folder
    .files()
    .flatMap((file) => new RegExp(`^hugetlb\\.(\\w+)\\.${limitFile}$`).exec(file)?.[1] ?? []);
  return Object.fromEntries(
    sizes.map((size) => {
      const prefix = `hugetlb.${size}.`;
      const usage = folder.number(prefix + (isUnified ? 'current' : 'usage_in_bytes'));
      const max = folder.number(`${prefix}max_usage_in_bytes`);
      const failures = isUnified
        ? of(folder.table(`${prefix}events`), 'max')
        : folder.number(`${prefix}failcnt`);
      return [size, { ...withoutZeros({ usage, max }), failcnt: failures }];
    }),
  );
};

/** How often the kernel has killed here for want of memory. */
export const oomKills = (paths: CgroupPaths): bigint => {
  const memory = folderOf(paths, 'memory');
  return (
    memory.table('memory.events').get('oom_kill') ??
    of(memory.table('memory.oom_control'), 'oom_kill')
  );
};
