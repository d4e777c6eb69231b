/** `docker pause` and `docker unpause`: the freezer of the container's cgroup. Upstream: moby daemon/{pause,unpause}.go. */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning, nextState } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

/** Docker says which container it was, and keeps the reason. */
const because = (verb: string, container: Container, cause: unknown): EngineError =>
  new EngineError('internal', `cannot ${verb} container ${container.id}: ${messageOf(cause)}`, {
    cause,
  });

export const pause = (daemon: Daemon, container: Container): Promise<void> =>
  container.exclusively(async () => {
    const { status } = container.state;
    if (!isRunning(container.state)) {
      throw new EngineError('conflict', `container ${container.id} is not running`);
    }
    if (status === 'paused') {
      throw new EngineError('conflict', `container ${container.id} is already paused`);
    }
    if (status === 'restarting') {
      throw new EngineError(
        'conflict',
        `container ${container.id} is restarting, wait until the container is running`,
      );
    }
    await daemon.tasks.pause(container.id).catch((error: unknown) => {
      throw because('pause', container, error);
    });
    await daemon.store.update(container, { state: nextState(container.state, 'paused') });
    daemon.events.emit(containerEvent(container, 'pause'));
  });

export const unpause = (daemon: Daemon, container: Container): Promise<void> =>
  container.exclusively(async () => {
    if (container.state.status !== 'paused') {
      throw new EngineError('conflict', `container ${container.id} is not paused`);
    }
    await daemon.tasks.resume(container.id).catch((error: unknown) => {
      throw because('unpause', container, error);
    });
    await daemon.store.update(container, { state: nextState(container.state, 'running') });
    daemon.events.emit(containerEvent(container, 'unpause'));
  });
