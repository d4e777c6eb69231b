/** `docker version` and `docker info`. Upstream: moby daemon/info.go. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { API_VERSION, MIN_API_VERSION } from '../../protocol/docker-engine-api/versions.ts';
import { containerdVersion } from '../containerd-client/channel.ts';
import type { Daemon } from './daemon.ts';
import { isCgroup2, kernelLimits, kernelWord } from './kernel-limits.ts';

export const ENGINE_VERSION = '0.1.0';
const PLATFORM = 'Engine Room';
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const MACHINE: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

const architecture = (): string => ARCHITECTURE[process.arch] ?? process.arch;

const operatingSystem = (): string => {
  try {
    const file = readFileSync('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(file)?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
};

/** Made at the first question and kept: two engines on one host are two. */
const engineId = (dataRoot: string): string => {
  const path = join(dataRoot, 'engine-id');
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') return kept;
  } catch {
    // The first time there is none.
  }
  const id = randomUUID();
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
};

/** daemon.json was read again. */
export const tellReload = (daemon: Daemon): void =>
  daemon.events.emit({
    Type: 'daemon',
    Action: 'reload',
    Actor: {
      ID: engineId(daemon.options.dataRoot),
      Attributes: { name: hostname(), 'live-restore': String(daemon.options.isLiveRestore) },
    },
  });

/** Which limits this host can set. */
const limitsOfHost = (): Readonly<Record<string, boolean>> => {
  const limits = kernelLimits();
  return {
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    CpuCfsPeriod: limits.cpuQuota,
    CpuCfsQuota: limits.cpuQuota,
    CPUShares: limits.cpuShares,
    CPUSet: limits.cpuset,
    PidsLimit: limits.pids,
    IPv4Forwarding: kernelWord('/proc/sys/net/ipv4/ip_forward') === '1',
    OomKillDisable: limits.oomKillDisable,
  };
};

export const version = async (daemon: Daemon): Promise<unknown> => {
  const containerd = await containerdVersion(daemon.channel).catch(() => null);
  const details = {
    ApiVersion: API_VERSION,
    Arch: architecture(),
    Experimental: 'false',
    KernelVersion: release(),
    MinAPIVersion: MIN_API_VERSION,
    Os: 'linux',
  };
  return {
    Platform: { Name: PLATFORM },
    Components: [
      { Name: 'Engine', Version: ENGINE_VERSION, Details: details },
      ...(containerd
        ? [
            {
              Name: 'containerd',
              Version: containerd.version,
              Details: { GitCommit: containerd.revision },
            },
          ]
        : []),
      { Name: 'runc', Version: ENGINE_VERSION, Details: { GitCommit: '' } },
    ],
    Version: ENGINE_VERSION,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: '',
    GoVersion: `node ${process.version}`,
    Os: 'linux',
    Arch: architecture(),
    KernelVersion: release(),
    BuildTime: '',
  };
};

const networkWarnings = ({
  networks: {
    host: { lack, firewallLack },
  },
}: Daemon): string[] => [
  ...(lack === null
    ? []
    : [`WARNING: No bridge network (${lack}): containers get a loopback interface only.`]),
  ...(firewallLack === null
    ? []
    : [`WARNING: No packet rules (${firewallLack}): containers cannot reach beyond this host.`]),
];

export const info = async (daemon: Daemon): Promise<unknown> => {
  const containers = daemon.store.list();
  const count = (status: string): number =>
    containers.filter(({ state }) => state.status === status).length;
  const [containerd, images] = await Promise.all([
    containerdVersion(daemon.channel).catch(() => null),
    daemon.imageStore.list().catch(() => []),
  ]);
  return {
    ID: engineId(daemon.options.dataRoot),
    Containers: containers.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: containers.length - count('running') - count('paused'),
    Images: new Set(images.map(({ target }) => target.digest)).size,
    Driver: daemon.storage.snapshotter,
    DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
    Plugins: {
      Volume: ['local'],
      Network: daemon.networks.host.lack === null ? ['bridge', 'host', 'null'] : ['host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local'],
    },
    ...limitsOfHost(),
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: isCgroup2() ? '2' : '1',
    NEventsListener: 0,
    KernelVersion: release(),
    OperatingSystem: operatingSystem(),
    OSVersion: '',
    OSType: 'linux',
    Architecture: MACHINE[process.arch] ?? process.arch,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      InsecureRegistryCIDRs: [],
      IndexConfigs: {},
      Mirrors: [...daemon.options.registries.mirrors],
    },
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    DockerRootDir: daemon.options.dataRoot,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: ENGINE_VERSION,
    Runtimes: daemon.runtimes.list(),
    DefaultRuntime: daemon.runtimes.defaultName,
    Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false },
    LiveRestoreEnabled: daemon.options.isLiveRestore,
    Isolation: '',
    InitBinary: 'docker-init',
    ContainerdCommit: { ID: containerd?.version ?? '' },
    RuncCommit: { ID: ENGINE_VERSION },
    InitCommit: { ID: '' },
    SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
    Warnings: [...daemon.options.accessWarnings, ...networkWarnings(daemon)],
  };
};
