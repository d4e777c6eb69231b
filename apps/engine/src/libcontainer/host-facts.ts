/**
 * What the compiler must know of the machine: read once, then compiling a plan makes no system calls of its own.
 * proc(5), cgroups(7), capabilities(7).
 */
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';
import type { NativeArchitecture } from './plan/syscall-numbers.ts';

/** One mounted cgroup hierarchy. Version 1 has one per controller (or a few together), version 2 has one for all. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted on the host, e.g. /sys/fs/cgroup/memory. */
  readonly mountPoint: string;
  /** `memory`, `cpu`, `cpuacct`; on version 2 what cgroup.controllers of the root lists. Empty for `name=systemd`. */
  readonly controllers: readonly string[];
  /** `systemd` for `name=systemd`; null for one with controllers. */
  readonly name: string | null;
  /** The cgroup of this process in it, below the mount point. */
  readonly ownPath: string;
}

export interface HostFacts {
  readonly architecture: NativeArchitecture;
  /** 6.18: major and minor decide what a plan may use. */
  readonly kernel: readonly [major: number, minor: number];
  /** /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number;
  /** The bounding set of this process: nothing outside of it can be granted. */
  readonly boundingCapabilities: bigint;
  readonly hierarchies: readonly CgroupHierarchy[];
  readonly appArmor: boolean;
  readonly files: HostFiles;
}

/** The few questions that the compiler asks of the host's files (never of the container's). */
export interface HostFiles {
  exists(path: string): boolean;
  /** The text of one of the kernel's small files, or null. */
  read(path: string): string | null;
  /** null when there is nothing. */
  isDirectory(path: string): boolean | null;
  isSymbolicLink(path: string): boolean;
  /** Whether both lead to the same file. */
  isSame(path: string, other: string): boolean;
}

export const hostFiles: HostFiles = {
  exists: existsSync,
  read: (path) => {
    // A file that is not there is nothing unusual, and an exception with its stack takes its time.
    if (!existsSync(path)) return null;
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return null;
    }
  },
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? null,
  isSymbolicLink: (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false,
  isSame: (path, other) => {
    const [one, two] = [path, other].map((each) =>
      statSync(each, { throwIfNoEntry: false, bigint: true }),
    );
    return one !== undefined && one.dev === two?.dev && one.ino === two.ino;
  },
};

export const nativeArchitecture = (): NativeArchitecture => {
  const architecture = process.arch;
  if (architecture === 'x64' || architecture === 'arm64') return architecture;
  throw new EngineError(
    'failed_precondition',
    `containers need x86-64 or arm64, this machine is ${architecture}`,
  );
};

export const readHostFacts = (files: HostFiles = hostFiles): HostFacts => {
  const architecture = nativeArchitecture();
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const bounding =
    /^CapBnd:\s*([0-9a-f]+)/m.exec(files.read('/proc/self/status') ?? '')?.[1] ?? '0';
  return {
    architecture,
    kernel: [major, minor],
    lastCapability: Number(files.read('/proc/sys/kernel/cap_last_cap') ?? 40),
    boundingCapabilities: BigInt(`0x${bounding}`),
    hierarchies: readHierarchies(
      files.read('/proc/self/mountinfo') ?? '',
      files.read('/proc/self/cgroup') ?? '',
      files,
    ),
    appArmor:
      files.exists('/sys/kernel/security/apparmor') &&
      (files.read('/sys/module/apparmor/parameters/enabled') ?? '').startsWith('Y'),
    files,
  };
};

const CONTROLLERS_V1 = new Set(
  'blkio cpu cpuacct cpuset devices freezer hugetlb memory misc net_cls net_prio perf_event pids rdma'.split(
    ' ',
  ),
);

/** Lines of mountinfo with a cgroup filesystem, joined with the lines of /proc/self/cgroup. proc_pid_mountinfo(5) */
export const readHierarchies = (
  mountinfo: string,
  ownCgroups: string,
  files: Pick<HostFiles, 'read'>,
): readonly CgroupHierarchy[] => {
  const hierarchies: CgroupHierarchy[] = [];
  for (const line of mountinfo.split('\n')) {
    const [fields = '', tail = ''] = line.split(' - ');
    const [type, , superOptions = ''] = tail.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const mountPoint = unescapeOctal(fields.split(' ')[4] ?? '');
    // The same hierarchy may be mounted twice; a deeper mount over the same place hides the first. The first is ours.
    if (type === 'cgroup2') {
      if (hierarchies.some((known) => known.version === 2)) continue;
      const controllers = (files.read(join(mountPoint, 'cgroup.controllers')) ?? '')
        .split(' ')
        .filter(Boolean);
      hierarchies.push({
        version: 2,
        mountPoint,
        controllers,
        name: null,
        ownPath: ownPathIn(ownCgroups, ''),
      });
      continue;
    }
    const options = superOptions.split(',');
    const controllers = options.filter((option) => CONTROLLERS_V1.has(option));
    const name =
      options.find((option) => option.startsWith('name='))?.slice('name='.length) ?? null;
    const key = keyOf({ version: 1, controllers, name });
    if (
      key === '' ||
      hierarchies.some((known) => known.version === 1 && sameHierarchy(known, controllers, name))
    )
      continue;
    hierarchies.push({
      version: 1,
      mountPoint,
      controllers,
      name,
      ownPath: ownPathIn(ownCgroups, key),
    });
  }
  return hierarchies;
};

/** The same hierarchies with the cgroups of another process in them: the text of its /proc/<pid>/cgroup. */
export const hierarchiesOf = (
  hierarchies: readonly CgroupHierarchy[],
  itsCgroups: string,
): readonly CgroupHierarchy[] =>
  hierarchies.map((hierarchy) => ({
    ...hierarchy,
    ownPath: ownPathIn(itsCgroups, keyOf(hierarchy)),
  }));

/** How /proc/<pid>/cgroup names it. */
const keyOf = ({
  version,
  controllers,
  name,
}: Pick<CgroupHierarchy, 'version' | 'controllers' | 'name'>): string => {
  if (version === 2) return '';
  return name === null ? controllers.join(',') : `name=${name}`;
};

const sameHierarchy = (
  known: CgroupHierarchy,
  controllers: readonly string[],
  name: string | null,
): boolean => known.name === name && known.controllers.join() === controllers.join();

/** `4:memory:/user/x` → `/user/x`; the line of version 2 has no controllers: `0::/user/x`. */
const ownPathIn = (ownCgroups: string, controllers: string): string => {
  for (const line of ownCgroups.split('\n')) {
    const [, names, ...path] = line.split(':');
    if (names === controllers) return path.join(':') || '/';
  }
  return '/';
};

/** Spaces and the like in mountinfo are written as `\040`. */
export const unescapeOctal = (path: string): string =>
  path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
