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
  await removeStopped(daemon, container, { removesVolumes });
};

const dropTask = async (daemon: Daemon, container: Container): Promise<void> => {
  if (container.hasTask) await daemon.tasks.delete(container.id);
  else if (container.isTaskUnwanted) {
    await daemon.tasks.discard(container.id);
    container.hasRecord = false;
  }
  container.hasTask = false;
  container.isTaskUnwanted = false;
};

/** Precondition: it has no task. Its record and its layer do not need one another any more. */
const leaveContainerd = async (daemon: Daemon, container: Container): Promise<void> => {
  await Promise.all([
    container.hasRecord ? daemon.tasks.deleteContainer(container.id) : undefined,
    daemon.images.removeSnapshot(container.id),
  ]);
  container.hasRecord = false;
};

/** `leaving`: what containerd keeps is on its way out already. */
const removeStopped = (
  daemon: Daemon,
  container: Container,
  { removesVolumes, leaving }: { removesVolumes: boolean; leaving?: Promise<void> | undefined },
): Promise<void> => {
  container.isRemoving = true;
  return container.exclusively(async () => {
    if (daemon.store.byId(container.id) !== container) return;
    try {
      if (leaving) await leaving;
      else {
        await dropTask(daemon, container);
        await leaveContainerd(daemon, container);
      }
      removeSharedMemory(daemon, container);
      daemon.store.remove(container);
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

/**
 * `--rm`: the daemon removes it, whether a client is still there or not. Precondition: the caller has the container for
 * himself. What containerd keeps is given back at once, the rest when the caller is through.
 */
export const autoRemove = (daemon: Daemon, container: Container): void => {
  if (container.isRemoving) return;
  const isTaskGone = !container.hasTask && !container.isTaskUnwanted;
  const leaving = isTaskGone ? leaveContainerd(daemon, container) : undefined;
  // Awaited later, and not unhandled until then.
  leaving?.catch(() => undefined);
  // Not awaited: the exit is complete without it, and whoever waits for the removal is told by wasRemoved.
  void removeStopped(daemon, container, { removesVolumes: true, leaving }).catch(
    (error: unknown) => {
      process.stderr.write(`dockerd: removing ${container.id}: ${messageOf(error)}\n`);
    },
  );
};
