/**
 * What may be asked of a new container. Sentences that clients match on are Docker's; what this version cannot honour
 * is refused by name, because a container that silently lacks what was asked for teaches a lie.
 * Upstream: moby daemon/container.go verifyContainerSettings, daemon/daemon_unix.go.
 */
import { availableParallelism } from 'node:os';
import type {
  ContainerConfig,
  Healthcheck,
  HostConfig,
} from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { parseLogOptions } from '../logger/log-options.ts';
import { signalNumber } from '../container/signals.ts';
import { containerCapabilities } from '../oci/capabilities.ts';
import { portWishes } from '../libnetwork/port-wishes.ts';
import { checkNamespaceModes } from '../oci/namespaces.ts';
import { hostsFile } from '../oci/network-files.ts';
import { containerRlimits } from '../oci/rlimits.ts';
import { securityOptions } from '../oci/security-options.ts';

const MINIMUM_MEMORY_BYTES = 6 * 1024 * 1024;
const NANO_CPUS_PER_CPU = 1e9;
const HOSTNAME_BYTES = 64;
const RESTART_POLICIES = ['', 'no', 'on-failure', 'always', 'unless-stopped'];
const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

const checkConfig = (config: ContainerConfig): void => {
  const { WorkingDir, StopSignal, Env, Hostname, Healthcheck } = config;
  if (WorkingDir !== '' && !WorkingDir.startsWith('/')) {
    refuse(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  if (StopSignal) signalNumber(StopSignal);
  for (const variable of Env) {
    if (variable === '' || variable.startsWith('=')) {
      refuse(`invalid environment variable: ${variable}`);
    }
  }
  if (Hostname.length > HOSTNAME_BYTES || /[\s/\0]/.test(Hostname)) {
    refuse(`invalid hostname format: ${Hostname}`);
  }
  for (const text of [...(config.Cmd ?? []), ...(config.Entrypoint ?? []), ...Env, WorkingDir]) {
    if (text.includes('\0')) refuse('arguments and variables cannot contain a NUL byte');
  }
  if (Healthcheck) checkHealth(Healthcheck);
};

const NANOSECONDS_A_MS = 1e6;

const checkHealth = (check: Healthcheck): void => {
  const [kind] = check.Test ?? [];
  if (kind !== undefined && !['NONE', 'CMD', 'CMD-SHELL'].includes(kind)) {
    refuse(`Unknown healthcheck type: ${kind}`);
  }
  const durations = [
    ['Interval', check.Interval],
    ['Timeout', check.Timeout],
    ['StartPeriod', check.StartPeriod],
    ['StartInterval', check.StartInterval],
  ] as const;
  for (const [name, nanoseconds] of durations) {
    if (nanoseconds !== 0 && nanoseconds < NANOSECONDS_A_MS) {
      refuse(`${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if (check.Retries < 0) refuse('Retries in Healthcheck cannot be negative');
};

const checkMemory = (host: HostConfig): void => {
  const { Memory, MemorySwap, MemoryReservation, MemorySwappiness } = host;
  if (Memory !== 0 && Memory < MINIMUM_MEMORY_BYTES) refuse('Minimum memory limit allowed is 6MB');
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    refuse('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (Memory === 0 && MemorySwap > 0) {
    refuse('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (MemorySwappiness !== null && (MemorySwappiness < -1 || MemorySwappiness > 100)) {
    refuse(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (MemoryReservation > 0 && MemoryReservation < MINIMUM_MEMORY_BYTES) {
    refuse('Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > Memory) {
    refuse('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
};

const checkCpu = ({ NanoCpus, CpuPeriod, CpuQuota, CpusetCpus, CpuShares }: HostConfig): void => {
  if (NanoCpus > 0 && CpuPeriod > 0) {
    refuse('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (NanoCpus > 0 && CpuQuota > 0) {
    refuse('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  }
  const count = availableParallelism();
  if (NanoCpus < 0 || NanoCpus > count * NANO_CPUS_PER_CPU) {
    refuse(`range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`);
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (CpuQuota > 0 && CpuQuota < 1000) {
    refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
  if (CpuShares < 0) {
    refuse(`invalid CPU shares (${CpuShares}): value must be a positive integer`);
  }
  if (CpusetCpus && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(CpusetCpus)) {
    refuse(`Invalid value ${CpusetCpus} for cpuset cpus`);
  }
};

/** Others of Docker's send logs away; here they are not registered. */
const LOG_DRIVERS = ['', 'json-file', 'local', 'none'];

/** `[is it asked for, what it is]`: each of these would change what the container is. */
const unsupported = (host: HostConfig): readonly (readonly [boolean, string])[] => [
  [!['', 'host'].includes(host.UsernsMode), 'user namespaces (--userns)'],
  [Object.keys(host.StorageOpt).length > 0, 'storage options (--storage-opt)'],
];

export const checkRestartPolicy = ({
  Name,
  MaximumRetryCount,
}: HostConfig['RestartPolicy']): void => {
  if (!RESTART_POLICIES.includes(Name)) {
    refuse(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (MaximumRetryCount < 0) {
    refuse('invalid restart policy: maximum retry count cannot be negative');
  }
  if (MaximumRetryCount !== 0 && Name !== 'on-failure') {
    refuse("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
};

const checkHost = (config: ContainerConfig, host: HostConfig): void => {
  checkRestartPolicy(host.RestartPolicy);
  if (host.AutoRemove && !['', 'no'].includes(host.RestartPolicy.Name)) {
    refuse("can't create 'AutoRemove' container with restart policy");
  }
  if (!LOG_DRIVERS.includes(host.LogConfig.Type)) {
    refuse(`logger: no log driver named '${host.LogConfig.Type}' is registered`);
  }
  for (const [isAsked, what] of unsupported(host)) {
    if (isAsked) refuse(`${what} are not supported by this daemon yet`);
  }
  if (!['', 'default'].includes(host.Isolation)) {
    refuse(`invalid isolation '${host.Isolation}' on linux`);
  }
  if (Object.hasOwn(host.Annotations, '')) {
    refuse('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  checkNamespaceModes(host);
  securityOptions(host.SecurityOpt);
  if (host.UTSMode === 'host' && config.Hostname !== '') {
    refuse('conflicting options: hostname and the UTS mode');
  }
  const sharesNetwork = host.NetworkMode.startsWith('container:');
  if (host.Links.length > 0 && (sharesNetwork || host.NetworkMode === 'host')) {
    const kind = sharesNetwork ? 'container type network' : 'host type networking';
    refuse(
      `conflicting options: ${kind} can't be used with links. This would result in undefined behavior`,
    );
  }
  if (sharesNetwork && config.Hostname !== '') {
    refuse('conflicting options: hostname and the network mode');
  }
  if (sharesNetwork && host.Dns.length > 0) {
    refuse('conflicting options: dns and the network mode');
  }
  if (sharesNetwork && host.ExtraHosts.length > 0) {
    refuse('conflicting options: custom host-to-IP mapping and the network mode');
  }
  if (sharesNetwork && (Object.keys(host.PortBindings).length > 0 || host.PublishAllPorts)) {
    refuse('conflicting options: port publishing and the container type network mode');
  }
  if (sharesNetwork && Object.keys(config.ExposedPorts).length > 0) {
    refuse('conflicting options: port exposing and the container type network mode');
  }
  if (host.CgroupParent.split('/').includes('..')) {
    refuse(`invalid cgroup parent: ${host.CgroupParent}`);
  }
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000) {
    refuse(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (host.ShmSize < 0) refuse('SHM size can not be less than 0');
};

/** What may also be asked of a container that is there (`docker update`). */
export const checkLimits = (host: HostConfig): void => {
  checkMemory(host);
  checkCpu(host);
};

/** Throws what Docker would say. */
export const validate = (config: ContainerConfig, host: HostConfig): void => {
  checkConfig(config);
  checkHost(config, host);
  checkLimits(host);
  // Each of these throws for a value that it does not know.
  containerCapabilities(host);
  containerRlimits(host.Ulimits);
  hostsFile(host, { own: [], links: [], hostGateway: '' });
  portWishes(config.ExposedPorts, host);
  parseLogOptions(host.LogConfig.Type, host.LogConfig.Config);
};
