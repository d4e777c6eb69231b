/**
 * What the user asked for and what the image says → the OCI runtime specification (config.json) that runc will follow.
 * Upstream: moby daemon/oci_linux.go createSpec. Reference: https://github.com/opencontainers/runtime-spec
 */
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { LinuxNamespace, Process, RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import { containerCapabilities } from './capabilities.ts';
import { containerEnvironment } from './environment.ts';
import {
  containerMounts,
  INIT_PATH,
  MASKED_PATHS,
  READONLY_PATHS,
  type ManagedFiles,
} from './mounts.ts';
import { containerResources } from './resources.ts';
import { containerRlimits } from './rlimits.ts';
import { defaultSeccomp } from './seccomp-default.ts';
import type { MountPoint } from '../volumes/mount-points.ts';
import type { ResolvedUser } from './user.ts';

export interface SpecOptions {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly user: ResolvedUser;
  readonly files: ManagedFiles;
  /** New, or another container's; null for the host's. */
  readonly network: LinuxNamespace | null;
  readonly mountPoints: readonly MountPoint[];
  /** `--init`: the program of the host that becomes the container's first process; null for none. */
  readonly init: string | null;
  /** `--cgroup-parent` of the daemon; the container's own one wins. */
  readonly cgroupParent: string;
}

/** Always new: none of these is shared with the host. See namespaces(7). */
const NAMESPACES: readonly LinuxNamespace[] = [
  { type: 'mount' },
  { type: 'uts' },
  { type: 'pid' },
  { type: 'ipc' },
];

/** The program and its arguments: Entrypoint first, then Cmd. */
export const commandLine = (config: ContainerConfig): string[] => [
  ...(config.Entrypoint ?? []),
  ...(config.Cmd ?? []),
];

const capabilitiesOf = (host: HostConfig, uid: number): NonNullable<Process['capabilities']> => {
  const granted = containerCapabilities(host.CapAdd, host.CapDrop);
  // execve(2) gives an ordinary user none; the bounding set limits what a set-uid program may get.
  return uid === 0
    ? { bounding: granted, effective: granted, permitted: granted }
    : { bounding: granted };
};

const hasOption = (host: HostConfig, name: string): boolean =>
  host.SecurityOpt.some((option) => [name, `${name}:true`, `${name}=true`].includes(option));

const isSeccompOff = (host: HostConfig): boolean =>
  host.SecurityOpt.some((option) => /^seccomp[=:]unconfined$/.test(option));

/** The container's first process, or one more (`docker exec`). */
export const processOf = ({
  config,
  host,
  user,
  init,
}: Pick<SpecOptions, 'config' | 'host' | 'user' | 'init'>): Process => ({
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
    env: config.Env,
  }),
  cwd: config.WorkingDir || '/',
  capabilities: capabilitiesOf(host, user.uid),
  rlimits: containerRlimits(host.Ulimits),
  noNewPrivileges: hasOption(host, 'no-new-privileges'),
  ...(host.OomScoreAdj === 0 ? {} : { oomScoreAdj: host.OomScoreAdj }),
});

/** Precondition: `validate` has refused what this version cannot honour. */
export const containerSpec = (options: SpecOptions): RuntimeSpec => {
  const { id, config, host } = options;
  const capabilities = containerCapabilities(host.CapAdd, host.CapDrop);
  const seccomp = isSeccompOff(host) ? undefined : defaultSeccomp(capabilities);
  return {
    ociVersion: '1.0.2',
    process: processOf(options),
    root: { path: 'rootfs', readonly: host.ReadonlyRootfs },
    hostname: config.Hostname,
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    mounts: containerMounts({
      files: options.files,
      shmBytes: host.ShmSize,
      tmpfs: host.Tmpfs,
      points: options.mountPoints,
      init: options.init,
    }),
    annotations: { ...host.Annotations },
    linux: {
      namespaces: [
        ...NAMESPACES,
        ...(options.network ? [options.network] : []),
        ...(host.CgroupnsMode === 'host' ? [] : [{ type: 'cgroup' as const }]),
      ],
      cgroupsPath: `${host.CgroupParent || options.cgroupParent}/${id}`,
      resources: containerResources(host),
      maskedPaths: host.MaskedPaths ?? MASKED_PATHS,
      readonlyPaths: host.ReadonlyPaths ?? READONLY_PATHS,
      ...(seccomp ? { seccomp } : {}),
    },
  };
};
