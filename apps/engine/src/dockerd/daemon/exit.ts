/**
 * A container has exited: its last bytes are logged, then its state changes, then whoever waits is told.
 * Upstream: moby daemon/monitor.go handleContainerExit.
 */
import { setImmediate } from 'node:timers/promises';
import type { TaskEvent } from '../containerd-client/tasks.ts';
import { messageOf } from '../../protocol/errdefs.ts';
import { taskEventId } from '../../protocol/trace/event-id.ts';
import { withContext } from '../../tracing/context.ts';
import { isRunning, nextState } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { OutputHub } from '../logger/output-hub.ts';
import type { Daemon } from './daemon.ts';
import { restartDelay, scheduleRestart } from './auto-restart.ts';
import { containerEvent } from './events.ts';
import { endExecsOf, handleExecExit } from './exec-exit.ts';
import { leaveNetworks } from './endpoints.ts';
import { stopHealth } from './health.ts';
import { tellMounts } from './mounts.ts';
import { autoRemove } from './remove.ts';
import { removeSharedMemory } from './shared-namespaces.ts';

/** Docker's number for an exit that nobody saw: the shim was killed. */
export const LOST_EXIT_CODE = 255;

/** What runs in a container ends with its first process, by SIGKILL. */
const KILLED = 137;

export interface Exit {
  readonly exitCode: number;
  readonly exitedAt: string;
  /** The process that exited, for the cause in the trace. */
  readonly pid: number;
}

export const handleTaskEvent = (daemon: Daemon, event: TaskEvent): void => {
  const container = daemon.store.byId(event.containerId);
  if (!container) return;
  if (event.kind === 'oom') {
    void handleOom(daemon, container).catch(complain(container));
  } else if (event.execId === event.containerId || event.execId === '') {
    void handleExit(daemon, container, event).catch(complain(container));
  } else {
    void handleExecExit(daemon, container, event).catch(complain(container));
  }
};

const complain =
  (container: Container) =>
  (error: unknown): void => {
    process.stderr.write(`dockerd: container ${container.id}: ${messageOf(error)}\n`);
  };

const handleOom = (daemon: Daemon, container: Container): Promise<void> =>
  container.exclusively(async () => {
    await daemon.store.update(container, { state: { ...container.state, isOomKilled: true } });
    daemon.events.emit(containerEvent(container, 'oom'));
  });

/** Events carry no trace; the container remembers the one that started it. */
export const handleExit = (daemon: Daemon, container: Container, exit: Exit): Promise<void> =>
  withContext(container.record.startedIn ?? undefined, () =>
    container.exclusively(async () => {
      // Told twice (by the event and by the look after a reconnection), or for an earlier run.
      if (!isRunning(container.state) || container.state.pid !== exit.pid) return;
      if (!container.record.startedIn) {
        await settleExit(daemon, container, exit);
        return;
      }
      await daemon.tracer.span(
        'daemon.handleExit',
        {
          cause: taskEventId('/tasks/exit', container.id, container.id, exit.pid),
          attributes: { 'container.id': container.id, 'process.exit.code': exit.exitCode },
          source: __SOURCE__,
        },
        () => settleExit(daemon, container, exit),
      );
    }),
  );

const settleExit = async (daemon: Daemon, container: Container, exit: Exit): Promise<void> => {
  const { run } = container;
  try {
    run?.lastCall();
    await run?.drained;
  } catch (error) {
    complain(container)(error);
  }
  await endExecsOf(daemon, container, KILLED);
  const collected = await collect(daemon, container);
  if (leavesItself(container)) {
    autoRemove(daemon, container);
    // What is asked leaves at the end of this turn, and is done while we do the rest.
    await setImmediate();
  }
  await run?.dispose();
  container.run = null;
  leaveNetworks(daemon, container);
  removeSharedMemory(daemon, container);
  tellMounts(daemon, container, 'unmount');
  const exitCode = collected?.exitCode ?? exit.exitCode;
  stopHealth(container);
  const delayMs = restartDelay(daemon, container, exitCode);
  const ranSeconds =
    Math.max(0, Date.parse(exit.exitedAt) - Date.parse(container.state.startedAt)) / 1000;
  await daemon.store.note(container, {
    state: nextState(container.state, delayMs === null ? 'exited' : 'restarting', {
      pid: 0,
      exitCode,
      finishedAt: exit.exitedAt,
    }),
    restartCount: container.record.restartCount + (delayMs === null ? 0 : 1),
  });
  // Attached clients get their last bytes and the end; the next run has a hub of its own.
  const { hub } = container;
  container.hub = new OutputHub();
  hub.end();
  container.hasExited();
  daemon.events.emit(
    containerEvent(container, 'die', {
      exitCode: String(exitCode),
      execDuration: String(Math.round(ranSeconds)),
    }),
  );
  if (delayMs !== null) scheduleRestart(daemon, container, delayMs);
};

const leavesItself = ({ record, isRestartedByHand }: Container): boolean =>
  record.isAutoRemove && !isRestartedByHand;

/** When containerd is away, the event's exit code is all there is; the rest is collected when it is back. */
const collect = async (
  daemon: Daemon,
  container: Container,
): Promise<{ readonly exitCode: number } | null> => {
  try {
    const collected = await daemon.tasks.delete(container.id);
    container.hasTask = false;
    // Of one that is removed now, the record goes with the rest.
    if (leavesItself(container)) return collected;
    await daemon.tasks.deleteContainer(container.id);
    container.hasRecord = false;
    return collected;
  } catch (error) {
    complain(container)(error);
    return null;
  }
};
