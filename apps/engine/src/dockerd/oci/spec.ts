/**
 * What the user asked for and what the image says → the OCI runtime specification (config.json) that runc will follow.
 * Upstream: moby daemon/oci_linux.go createSpec. Reference: https://github.com/opencontainers/runtime-spec
 */
import { existsSync } from 'node:fs';
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { LinuxSeccomp, Process, RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import { containerCapabilities } from './capabilities.ts';
import { containerDevices } from './device-rules.ts';
import { containerEnvironment } from './environment.ts';
import {
  containerMounts,
  INIT_PATH,
  MASKED_PATHS,
  READONLY_PATHS,
  rootPropagation,
  type ManagedFiles,
  type SharedMemory,
} from './mounts.ts';
import { linuxNamespaces, type ContainerNamespaces } from './namespaces.ts';
import { containerResources } from './resources.ts';
import { containerRlimits } from './rlimits.ts';
import { defaultSeccomp } from './seccomp-default.ts';
import { seccompProfile } from './seccomp-profile.ts';
import { apparmorProfile, securityOptions } from './security-options.ts';
import type { MountPoint } from '../volumes/mount-points.ts';
import type { ResolvedUser } from './user.ts';

export interface SpecOptions {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly user: ResolvedUser;
  /** Variables that tell of the containers that `--link` leads to. */
  readonly linkEnv?: readonly string[];
  readonly files: ManagedFiles;
  readonly namespaces: ContainerNamespaces;
  readonly sharedMemory: SharedMemory;
  readonly mountPoints: readonly MountPoint[];
  /** `--init`: the program of the host that becomes the container's first process; null for none. */
  readonly init: string | null;
  /** `--cgroup-parent` of the daemon; the container's own one wins. */
  readonly cgroupParent: string;
}

/** The program and its arguments: Entrypoint first, then Cmd. */
export const commandLine = (config: ContainerConfig): string[] => [
  ...(config.Entrypoint ?? []),
  ...(config.Cmd ?? []),
];

const capabilitiesOf = (host: HostConfig, uid: number): NonNullable<Process['capabilities']> => {
  const granted = containerCapabilities(host);
  // execve(2) gives an ordinary user none; the bounding set limits what a set-uid program may get.
  return uid === 0
    ? { bounding: granted, effective: granted, permitted: granted }
    : { bounding: granted };
};

/** A profile of the user's own holds even for a privileged container. */
const seccompOf = (host: HostConfig): LinuxSeccomp | undefined => {
  const { seccomp } = securityOptions(host.SecurityOpt);
  if (seccomp === 'unconfined') return undefined;
  const capabilities = containerCapabilities(host);
  if (seccomp !== null && seccomp !== '' && seccomp !== 'builtin') {
    return seccompProfile(seccomp, capabilities);
  }
  return host.Privileged ? undefined : defaultSeccomp(capabilities);
};

/** The container's first process, or one more (`docker exec`). */
export const processOf = ({
  config,
  host,
  user,
  init,
  linkEnv = [],
}: Pick<SpecOptions, 'config' | 'host' | 'user' | 'init' | 'linkEnv'>): Process => {
  const security = securityOptions(host.SecurityOpt);
  const profile = apparmorProfile(security.apparmor);
  return {
    terminal: config.Tty,
    ...(config.Tty && host.ConsoleSize[0] && host.ConsoleSize[1]
      ? { consoleSize: { height: host.ConsoleSize[0], width: host.ConsoleSize[1] } }
      : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] },
    args: init === null ? commandLine(config) : [INIT_PATH, '--', ...commandLine(config)],
    env: containerEnvironment({
      hostname: config.Hostname,
      isTerminal: config.Tty,
      home: user.home,
      env: [...linkEnv, ...config.Env],
    }),
    cwd: config.WorkingDir || '/',
    capabilities: capabilitiesOf(host, user.uid),
    rlimits: containerRlimits(host.Ulimits),
    noNewPrivileges: security.hasNoNewPrivileges,
    ...(host.OomScoreAdj === 0 ? {} : { oomScoreAdj: host.OomScoreAdj }),
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
  };
};

/** In a network of its own a program may ping and open any port without being root: it harms nobody else there. */
const NETWORK_SYSCTLS = {
  'net.ipv4.ping_group_range': '0 2147483647',
  'net.ipv4.ip_unprivileged_port_start': '0',
} as const;

const ownNetworkSysctls = ({ network }: ContainerNamespaces): Record<string, string> =>
  network && network.path === undefined
    ? Object.fromEntries(
        Object.entries(NETWORK_SYSCTLS).filter(([name]) =>
          existsSync(`/proc/sys/${name.replaceAll('.', '/')}`),
        ),
      )
    : {};

/** Precondition: `validate` has refused what this version cannot honour. */
export const containerSpec = (options: SpecOptions): RuntimeSpec => {
  const { id, config, host, namespaces, mountPoints } = options;
  const seccomp = seccompOf(host);
  const { hasWritableCgroups } = securityOptions(host.SecurityOpt);
  const { devices, rules } = containerDevices(host);
  const hasOwnNames = host.UTSMode !== 'host';
  const propagation = rootPropagation(mountPoints);
  return {
    ociVersion: '1.0.2',
    process: processOf(options),
    root: { path: 'rootfs', readonly: host.ReadonlyRootfs },
    ...(hasOwnNames ? { hostname: config.Hostname } : {}),
    ...(hasOwnNames && config.Domainname ? { domainname: config.Domainname } : {}),
    mounts: containerMounts({
      files: options.files,
      host,
      sharedMemory: options.sharedMemory,
      hasWritableCgroups: hasWritableCgroups ?? host.Privileged,
      points: mountPoints,
      init: options.init,
    }),
    annotations: { ...host.Annotations },
    linux: {
      namespaces: linuxNamespaces(host, namespaces),
      cgroupsPath: `${host.CgroupParent || options.cgroupParent}/${id}`,
      ...(devices.length > 0 ? { devices } : {}),
      resources: containerResources(host, rules),
      sysctl: { ...ownNetworkSysctls(namespaces), ...host.Sysctls },
      maskedPaths: host.MaskedPaths ?? (host.Privileged ? [] : MASKED_PATHS),
      readonlyPaths: host.ReadonlyPaths ?? (host.Privileged ? [] : READONLY_PATHS),
      ...(propagation === null ? {} : { rootfsPropagation: propagation }),
      ...(seccomp ? { seccomp } : {}),
    },
  };
};
