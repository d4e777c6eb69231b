/**
 * What of the machine a container sees as its own, what it shares with another container and what with the host:
 * `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--network`. See namespaces(7).
 * Upstream: moby daemon/oci_linux.go WithNamespaces, api/types/container/hostconfig.go.
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxNamespace } from '../../protocol/oci/runtime-spec.ts';

/** `container:reference` */
export const CONTAINER_PREFIX = 'container:';

/** The reference of the container whose namespace is to be shared; null when it is not one's. */
export const lenderIn = (mode: string): string | null =>
  mode.startsWith(CONTAINER_PREFIX) ? mode.slice(CONTAINER_PREFIX.length) : null;

/** New, or another container's; null for the host's. */
export interface ContainerNamespaces {
  readonly network: LinuxNamespace | null;
  readonly pid: LinuxNamespace | null;
  readonly ipc: LinuxNamespace | null;
}

const MODES = {
  IPC: ['', 'none', 'private', 'shareable', 'host'],
  PID: ['', 'host'],
  UTS: ['', 'host'],
  'cgroup namespace': ['', 'private', 'host'],
} as const;

const check = (what: keyof typeof MODES, mode: string): void => {
  const modes: readonly string[] = MODES[what];
  if (modes.includes(mode)) return;
  if ((what === 'IPC' || what === 'PID') && lenderIn(mode)) return;
  throw new EngineError('invalid_argument', `invalid ${what} mode: ${mode}`);
};

export const checkNamespaceModes = (host: HostConfig): void => {
  check('IPC', host.IpcMode);
  check('PID', host.PidMode);
  check('UTS', host.UTSMode);
  check('cgroup namespace', host.CgroupnsMode);
};

export const linuxNamespaces = (
  host: HostConfig,
  { network, pid, ipc }: ContainerNamespaces,
): LinuxNamespace[] => [
  { type: 'mount' },
  ...(host.UTSMode === 'host' ? [] : [{ type: 'uts' as const }]),
  ...(pid ? [pid] : []),
  ...(ipc ? [ipc] : []),
  ...(network ? [network] : []),
  ...(host.CgroupnsMode === 'host' ? [] : [{ type: 'cgroup' as const }]),
];
