/** `docker wait`, and what `docker run` sleeps on. Upstream: moby daemon/wait.go. */
import type { WaitCondition } from '../../protocol/docker-engine-api/containers.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container, ExitResult } from '../container/container.ts';

/** Begins to wait when called, so that nothing that happens afterwards is missed. */
export const wait = (
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<ExitResult> => {
  switch (condition) {
    case 'removed':
      return container.removal(signal);
    case 'next-exit':
      return container.nextExit(signal);
    case 'not-running': {
      const { exitCode } = container.state;
      return isRunning(container.state)
        ? container.nextExit(signal)
        : Promise.resolve({ exitCode, cause: null });
    }
  }
};
