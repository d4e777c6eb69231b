/**
 * `--pid` and `--ipc`: namespaces of the host's or of another container's, and the shared memory that goes with the
 * latter. Upstream: moby daemon/container_operations_unix.go (getPIDContainer, getIPCContainer, setupIPCDirs).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { LinuxNamespace } from '../../protocol/oci/runtime-spec.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { SharedMemory } from '../oci/mounts.ts';
import { CONTAINER_PREFIX, lenderIn } from '../oci/namespaces.ts';
import type { Daemon } from './daemon.ts';

const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MNT_DETACH = 2;
const HOST_SHARED_MEMORY = '/dev/shm';

/** A name may pass to another container: what is kept is the id. Nobody of that name is found out at the start. */
export const fixedMode = (daemon: Daemon, mode: string): string => {
  const reference = lenderIn(mode);
  if (reference === null) return mode;
  try {
    return `${CONTAINER_PREFIX}${daemon.store.find(reference).id}`;
  } catch {
    return mode;
  }
};

const runningLender = (daemon: Daemon, kind: 'PID' | 'IPC', mode: string): Container | null => {
  const reference = lenderIn(mode);
  if (reference === null) return null;
  const refuse = (
    problem: 'invalid_argument' | 'conflict',
    why: string,
    cause?: unknown,
  ): never => {
    throw new EngineError(problem, `failed to join ${kind} namespace: ${why}`, { cause });
  };
  let lender: Container;
  try {
    lender = daemon.store.find(reference);
  } catch (error) {
    return refuse('invalid_argument', messageOf(error), error);
  }
  if (lender.state.status === 'restarting') {
    return refuse(
      'conflict',
      `container ${lender.id} is restarting, wait until the container is running`,
    );
  }
  return isRunning(lender.state)
    ? lender
    : refuse('conflict', `container ${lender.id} is not running`);
};

export const pidNamespace = (daemon: Daemon, { PidMode }: HostConfig): LinuxNamespace | null => {
  if (PidMode === 'host') return null;
  const lender = runningLender(daemon, 'PID', PidMode);
  return { type: 'pid', ...(lender ? { path: `/proc/${lender.state.pid}/ns/pid` } : {}) };
};

export interface Ipc {
  readonly namespace: LinuxNamespace | null;
  readonly sharedMemory: SharedMemory;
}

/** Where a container's shared memory lies that others may use too. */
const shareablePlace = ({ directory }: Container): string => join(directory, 'shm');

export const ipcOf = (daemon: Daemon, container: Container): Ipc => {
  const { IpcMode } = container.hostConfig;
  const namespace = { type: 'ipc' as const };
  switch (IpcMode) {
    case 'host':
      return { namespace: null, sharedMemory: { path: HOST_SHARED_MEMORY } };
    case 'none':
      return { namespace, sharedMemory: null };
    case 'shareable':
      return { namespace, sharedMemory: { path: shareablePlace(container) } };
    default: {
      const lender = runningLender(daemon, 'IPC', IpcMode);
      if (!lender) return { namespace, sharedMemory: 'own' };
      const { sharedMemory } = ipcOf(daemon, lender);
      if (sharedMemory === 'own' || sharedMemory === null) {
        throw new EngineError(
          'invalid_argument',
          `failed to join IPC namespace: container ${lender.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
        );
      }
      return {
        namespace: { ...namespace, path: `/proc/${lender.state.pid}/ns/ipc` },
        sharedMemory,
      };
    }
  }
};

/** Before the container starts: memory that is mounted on the host, so that another one can mount it as well. */
export const makeSharedMemory = (daemon: Daemon, container: Container): void => {
  if (container.hostConfig.IpcMode !== 'shareable') return;
  const target = shareablePlace(container);
  // A dockerd that was killed in the middle of a start leaves it mounted.
  removeSharedMemory(daemon, container);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  daemon.native.mount({
    source: 'shm',
    target,
    type: 'tmpfs',
    flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
    data: `mode=1777,size=${container.hostConfig.ShmSize}`,
  });
};

/** After its exit. Whoever still has it mounted keeps it. */
export const removeSharedMemory = (daemon: Daemon, container: Container): void => {
  if (container.hostConfig.IpcMode !== 'shareable') return;
  const target = shareablePlace(container);
  try {
    daemon.native.unmount(target, MNT_DETACH);
  } catch {
    // It was not mounted.
  }
  rmSync(target, { recursive: true, force: true });
};
