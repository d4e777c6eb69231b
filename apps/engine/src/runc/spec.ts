/**
 * `runc spec [--bundle DIR]`: a config.json to begin with. OCI config.md. Upstream: runc spec.go, libcontainer/specconv/example.go.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseVerb } from './command-line.ts';
import { isSet, type Options, textOf } from './flags.ts';
import type { Verb } from './verb.ts';
import { SPEC_VERSION } from './version.ts';

const OPTIONS = {
  bundle: { type: 'string', short: 'b' },
  rootless: { type: 'boolean' },
} as const satisfies Options;

export const spec: Verb = async ({ rest }) => {
  const flags = parseVerb('spec', rest, OPTIONS, 0);
  const path = join(textOf(flags, 'bundle') ?? '.', 'config.json');
  if (existsSync(path))
    throw new EngineError('already_exists', 'File config.json exists. Remove it first');
  const example = isSet(flags, 'rootless') ? rootless(EXAMPLE) : EXAMPLE;
  writeFileSync(path, `${JSON.stringify(example, null, '\t')}\n`, { mode: 0o666, flag: 'wx' });
};

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

const EXAMPLE: RuntimeSpec = {
  ociVersion: SPEC_VERSION,
  process: {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ['sh'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: {
      bounding: CAPABILITIES,
      effective: CAPABILITIES,
      permitted: CAPABILITIES,
      ambient: CAPABILITIES,
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'runc',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
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
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    {
      destination: '/dev/mqueue',
      type: 'mqueue',
      source: 'mqueue',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
  ],
  linux: {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: [
      { type: 'pid' },
      { type: 'network' },
      { type: 'ipc' },
      { type: 'uts' },
      { type: 'mount' },
    ],
    maskedPaths: [
      '/proc/acpi',
      '/proc/asound',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/sys/firmware',
      '/proc/scsi',
    ],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  },
};

/** What nobody but root may do is left out, and everything belongs to one user. */
const rootless = (example: RuntimeSpec): RuntimeSpec => {
  const { linux, mounts } = example;
  const { resources: _, ...rest } = linux ?? {};
  const map = (id: number | undefined) => [{ containerID: 0, hostID: id ?? 0, size: 1 }];
  return {
    ...example,
    mounts: (mounts ?? []).map((mount) => {
      const options = (mount.options ?? []).filter((option) => !option.startsWith('gid='));
      if (mount.destination === '/sys')
        return {
          destination: '/sys',
          type: 'none',
          source: '/sys',
          options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
        };
      return mount.options ? { ...mount, options } : mount;
    }),
    linux: {
      ...rest,
      uidMappings: map(process.geteuid?.()),
      gidMappings: map(process.getegid?.()),
      namespaces: [
        ...(linux?.namespaces ?? []).filter(({ type }) => type !== 'network'),
        { type: 'user' },
      ],
    },
  };
};
