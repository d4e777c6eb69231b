/**
 * Restart policies at work: a container that has exited is started again, after a pause that grows.
 * Upstream: moby daemon/monitor.go, daemon/daemon.go restore.
 */
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../protocol/errdefs.ts';
import { withContext } from '../../tracing/context.ts';
import type { Container } from '../container/container.ts';
import { wantsRestart, wantsStartAtBoot } from '../container/restart-policy.ts';
import { cancelRestart } from './cancel-restart.ts';
import type { Daemon } from './daemon.ts';
import { startTask } from './start.ts';

/** Until the next start, in milliseconds; null when it stays as it is. */
export const restartDelay = (
  daemon: Daemon,
  container: Container,
  exitCode: number,
): number | null => {
  if (container.isToStay || container.isRemoving || daemon.lifecycle.isShuttingDown) return null;
  const ranMs = Date.now() - Date.parse(container.state.startedAt);
  const { restartCount, hasBeenStopped: wasStopped = false } = container.record;
  const facts = { exitCode, restartCount, wasStopped };
  return wantsRestart(container.hostConfig.RestartPolicy, facts)
    ? container.backOff.next(ranMs)
    : null;
};

/** Precondition: the container is `restarting`. */
export const scheduleRestart = (daemon: Daemon, container: Container, delayMs: number): void => {
  const abort = new AbortController();
  container.pendingRestart = abort;
  const signal = AbortSignal.any([abort.signal, daemon.signal]);
  const wait = async (): Promise<void> => {
    await setTimeout(delayMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    container.pendingRestart = null;
    await container.exclusively(async () => {
      if (container.state.status === 'restarting') await startAlone(daemon, container, delayMs);
    });
  };
  // Nobody asked for it: it belongs to no request. What fails is told by `startTask` in the container's state.
  void withContext(undefined, wait).catch((error: unknown) => {
    process.stderr.write(`dockerd: restarting ${container.id}: ${messageOf(error)}\n`);
  });
};

const startAlone = (daemon: Daemon, container: Container, delayMs: number): Promise<void> =>
  daemon.tracer.span(
    'daemon.restartContainer',
    {
      parent: null,
      level: 'chapter',
      links: container.links,
      attributes: {
        'container.id': container.id,
        'container.name': container.name,
        'engineroom.restart.policy': container.hostConfig.RestartPolicy.Name,
        'engineroom.restart.count': container.record.restartCount,
        'engineroom.restart.delay_ms': delayMs,
      },
      source: __SOURCE__,
    },
    () => startTask(daemon, container),
  );

/** When dockerd starts: what its policy wants running, and what was between two runs. */
export const startAtBoot = async (daemon: Daemon): Promise<void> => {
  const wanted = daemon.store.list().filter(({ state, hostConfig, record }) => {
    const isOver = state.status === 'exited' || state.status === 'restarting';
    return isOver && wantsStartAtBoot(hostConfig.RestartPolicy, record.hasBeenStopped ?? false);
  });
  await Promise.all(
    wanted.map((container) =>
      container
        .exclusively(async () => {
          const { status } = container.state;
          if (status !== 'exited' && status !== 'restarting') return;
          await withContext(undefined, () => startAlone(daemon, container, 0));
        })
        .catch((error: unknown) => {
          process.stderr.write(`dockerd: starting ${container.id}: ${messageOf(error)}\n`);
        }),
    ),
  );
  // An on-failure container whose pause was cut short by our end.
  for (const container of daemon.store.list()) {
    if (container.state.status === 'restarting') await cancelRestart(daemon, container);
  }
};
