/** `docker stop`, `kill` and `rm -f` of a container that is between two runs. Upstream: moby restartmanager.Cancel. */
import { nextState } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';

export const cancelRestart = (daemon: Daemon, container: Container): Promise<void> =>
  container.exclusively(async () => {
    container.pendingRestart?.abort();
    container.pendingRestart = null;
    if (container.state.status !== 'restarting') return;
    await daemon.store.update(container, { state: nextState(container.state, 'exited') });
    container.hasExited();
  });
