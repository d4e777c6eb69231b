/** `docker inspect`. Upstream: moby daemon/inspect.go. */
import { join } from 'node:path';
import type { Container } from '../container/container.ts';
import { securityOptions } from '../oci/security-options.ts';
import type { Daemon } from './daemon.ts';
import { execIdsOf } from './exec.ts';
import { linkAnswer } from './links.ts';
import { mountAnswer } from './mounts.ts';
import { networkSettings } from './network-settings.ts';

const hasPid = (status: string): boolean => status === 'running' || status === 'paused';
/** A container between two runs counts as running, as in Docker. */
const isUp = (status: string): boolean => hasPid(status) || status === 'restarting';

export const inspect = async (
  daemon: Daemon,
  container: Container,
  { hasSize }: { readonly hasSize: boolean },
): Promise<unknown> => {
  const { id, name, record, state, hostConfig, directory } = container;
  const sizeRw = hasSize ? await daemon.images.snapshotUsageBytes(id) : 0;
  return {
    Id: id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: {
      Status: state.status,
      Running: isUp(state.status),
      Paused: state.status === 'paused',
      Restarting: state.status === 'restarting',
      OOMKilled: state.isOomKilled,
      Dead: state.status === 'dead',
      Pid: hasPid(state.status) ? state.pid : 0,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: state.startedAt,
      FinishedAt: state.finishedAt,
      ...(container.health ? { Health: container.health.answer } : {}),
    },
    Image: record.imageId,
    ResolvConfPath: join(directory, 'resolv.conf'),
    HostnamePath: join(directory, 'hostname'),
    HostsPath: join(directory, 'hosts'),
    LogPath: hostConfig.LogConfig.Type === 'json-file' ? container.logFile : '',
    Name: `/${name}`,
    RestartCount: record.restartCount,
    Driver: daemon.storage.snapshotter,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: securityOptions(hostConfig.SecurityOpt).apparmor ?? '',
    ExecIDs: execIdsOf(daemon, container),
    HostConfig: { ...hostConfig, Links: linkAnswer(daemon, container) },
    GraphDriver: { Name: daemon.storage.snapshotter, Data: null },
    Mounts: container.mountPoints.map(mountAnswer),
    Config: record.config,
    NetworkSettings: networkSettings(daemon, container),
    ...(hasSize ? { SizeRw: sizeRw, SizeRootFs: sizeRw } : {}),
  };
};
