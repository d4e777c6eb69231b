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
    case 'not-running':
      return whileItRuns(container, signal);
  }
};

/** A program may have printed before its start is through: who asks then waits for its end, not for nothing. */
const whileItRuns = async (container: Container, signal: AbortSignal): Promise<ExitResult> => {
  await container.settled();
  return isRunning(container.state)
    ? container.nextExit(signal)
    : { exitCode: container.state.exitCode, cause: null };
};
