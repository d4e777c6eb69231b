/** `docker restart`: a stop and a start, in which a container with --rm survives its stop. Upstream: moby daemon/restart.go. */
import { kindOf } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { stop, type StopOptions } from './kill.ts';
import { start } from './start.ts';

export const restart = async (
  daemon: Daemon,
  container: Container,
  options: StopOptions,
): Promise<void> => {
  container.isRestartedByHand = true;
  try {
    await stop(daemon, container, options).catch((error: unknown) => {
      // Not running: then it is started.
      if (kindOf(error) !== 'not_modified') throw error;
    });
    await container.settled();
  } finally {
    container.isRestartedByHand = false;
  }
  await start(daemon, container);
  daemon.events.emit(containerEvent(container, 'restart'));
};
