/** `docker rm`. Upstream: moby daemon/delete.go. */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { forceKill } from './kill.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { releaseVolumes } from './mounts.ts';
import { removeSharedMemory } from './shared-namespaces.ts';

export interface RemoveOptions {
  readonly isForced: boolean;
  /** `-v`: the volumes that nobody named go too. */
  readonly removesVolumes: boolean;
}

export const remove = async (
  daemon: Daemon,
  container: Container,
  { isForced, removesVolumes }: RemoveOptions,
): Promise<void> => {
  if (container.isRemoving) {
    throw new EngineError(
      'conflict',
      `removal of container ${container.name} is already in progress`,
    );
  }
  await container.settled();
  if (isRunning(container.state)) {
    if (!isForced) {
      const { status } = container.state;
      const hint =
        status === 'paused'
          ? 'container is paused and must be unpaused first'
          : `container is ${status}: stop the container before removing or force remove`;
      throw new EngineError('conflict', `cannot remove container "/${container.name}": ${hint}`);
    }
    await forceKill(daemon, container);
  }
  // A --rm container may have removed itself by now.
  if (daemon.store.byId(container.id) !== container) return;
  await removeStopped(daemon, container, removesVolumes);
};

const removeStopped = (
  daemon: Daemon,
  container: Container,
  removesVolumes: boolean,
): Promise<void> => {
  container.isRemoving = true;
  return container.exclusively(async () => {
    if (daemon.store.byId(container.id) !== container) return;
    try {
      if (container.hasTask) {
        await daemon.tasks.delete(container.id);
        await daemon.tasks.deleteContainer(container.id);
      } else if (container.isTaskUnwanted) await daemon.tasks.discard(container.id);
      await daemon.images.removeSnapshot(container.id);
      removeSharedMemory(daemon, container);
      await daemon.store.remove(container);
      daemon.execs.removeAll(container);
      await releaseVolumes(daemon, container.id, {
        mountPoints: container.mountPoints,
        removesAnonymous: removesVolumes,
      });
    } catch (error) {
      container.isRemoving = false;
      throw error;
    }
    container.hub.end();
    daemon.events.emit(containerEvent(container, 'destroy'));
    container.wasRemoved();
  });
};

/** `--rm`: the daemon removes it, whether a client is still there or not. */
export const autoRemove = (daemon: Daemon, container: Container): void => {
  if (container.isRemoving) return;
  // Not awaited: the exit is complete without it, and whoever waits for the removal is told by wasRemoved.
  void removeStopped(daemon, container, true).catch((error: unknown) => {
    process.stderr.write(`dockerd: removing ${container.id}: ${messageOf(error)}\n`);
  });
};
