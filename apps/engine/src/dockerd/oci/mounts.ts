/**
 * What a container finds mounted. Upstream: moby daemon/pkg/oci/defaults.go, daemon/oci_linux.go.
 * Reference: https://github.com/opencontainers/runtime-spec/blob/main/config.md#mounts
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { Mount } from '../../protocol/oci/runtime-spec.ts';
import type { MountPoint } from '../volumes/mount-points.ts';

/** Files that dockerd writes for the container and the container may change. */
export interface ManagedFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;
const HARDENED = ['nosuid', 'noexec', 'nodev'];

/** Information leaks and ways to disturb the host: hidden. */
export const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

export const READONLY_PATHS = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

const fileMount = (destination: string, source: string): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', 'rprivate'],
});

const tmpfsMount = ([destination, options]: readonly [string, string]): Mount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['noexec', 'nosuid', 'nodev', 'rprivate', ...options.split(',').filter(Boolean)],
});

const userMount = (point: MountPoint): Mount =>
  point.type === 'tmpfs'
    ? {
        destination: point.destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: [
          ...HARDENED,
          'rprivate',
          ...(point.isWritable ? [] : ['ro']),
          ...point.tmpfsOptions,
        ],
      }
    : {
        destination: point.destination,
        type: 'bind',
        source: point.source,
        options: [
          point.isRecursive ? 'rbind' : 'bind',
          point.propagation || 'rprivate',
          ...(point.isWritable ? [] : ['ro']),
        ],
      };

/** Where Docker puts the program that reaps and passes signals on. */
export const INIT_PATH = '/sbin/docker-init';

const depth = ({ destination }: Mount): number => destination.split('/').length;

/** What /dev/shm is: a folder of the host's, `own` for memory of the container's alone, null for none at all. */
export type SharedMemory = { readonly path: string } | 'own' | null;

interface MountOptions {
  readonly files: ManagedFiles;
  readonly host: Pick<HostConfig, 'ShmSize' | 'Tmpfs' | 'Privileged'>;
  readonly sharedMemory: SharedMemory;
  readonly hasWritableCgroups: boolean;
  readonly points: readonly MountPoint[];
  /** `--init`; null for none. */
  readonly init: string | null;
}

/** What the user mounts takes the place of what would be there; a folder comes before what lies in it. */
export const containerMounts = (options: MountOptions): Mount[] => {
  const own = [
    ...Object.entries(options.host.Tmpfs).map(tmpfsMount),
    ...options.points.map(userMount),
  ];
  const taken = new Set(own.map(({ destination }) => destination));
  // Whoever brings a /dev of his own brings all of it.
  const isTaken = (path: string): boolean =>
    taken.has(path) || (taken.has('/dev') && path.startsWith('/dev/'));
  const kept = defaultMounts(options).filter(({ destination }) => !isTaken(destination));
  const inOrder = own.sort((left, right) => depth(left) - depth(right));
  const isFile = ({ type }: Mount): boolean => type === 'bind';
  return [...kept.filter((mount) => !isFile(mount)), ...inOrder, ...kept.filter(isFile)];
};

const sharedMemoryMount = ({
  host: { ShmSize },
  sharedMemory,
}: Pick<MountOptions, 'host' | 'sharedMemory'>): Mount[] => {
  if (sharedMemory === null) return [];
  if (sharedMemory !== 'own') return [fileMount('/dev/shm', sharedMemory.path)];
  const options = [...HARDENED, 'mode=1777', `size=${ShmSize || DEFAULT_SHM_BYTES}`];
  return [{ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options }];
};

const defaultMounts = (options: Omit<MountOptions, 'points'>): Mount[] => [
  { destination: '/proc', type: 'proc', source: 'proc', options: HARDENED },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    // Group 5 is `tty`: programs such as `wall` may write to a terminal without owning it.
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/sys',
    type: 'sysfs',
    source: 'sysfs',
    options: [...HARDENED, ...(options.host.Privileged ? [] : ['ro'])],
  },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: [...(options.hasWritableCgroups ? [] : ['ro']), ...HARDENED],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: HARDENED },
  ...sharedMemoryMount(options),
  fileMount('/etc/resolv.conf', options.files.resolvConf),
  fileMount('/etc/hostname', options.files.hostname),
  fileMount('/etc/hosts', options.files.hosts),
  ...(options.init === null
    ? []
    : [{ ...fileMount(INIT_PATH, options.init), options: ['bind', 'ro'] }]),
];

const SHARED = ['shared', 'rshared'];
const SLAVE = ['slave', 'rslave'];

/** Mounts of the host can only travel into a container whose root lets them. mount_namespaces(7) */
export const rootPropagation = (points: readonly MountPoint[]): 'shared' | 'rslave' | null => {
  if (points.some(({ propagation }) => SHARED.includes(propagation))) return 'shared';
  return points.some(({ propagation }) => SLAVE.includes(propagation)) ? 'rslave' : null;
};
