/**
 * What dockerd does when it starts while containers run, and when it stops.
 * containerd says what is true: the living are adopted, exits that happened meanwhile are collected.
 * Upstream: moby daemon/daemon.go restore, Shutdown.
 */
import { messageOf } from '../../protocol/errdefs.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import { isRunning, nextState } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { waitUntilServing } from '../containerd-client/channel.ts';
import type { TaskInfo } from '../containerd-client/tasks.ts';
import type { Daemon } from './daemon.ts';
import { adoptNetworks } from './endpoints.ts';
import { handleExit, handleTaskEvent, LOST_EXIT_CODE } from './exit.ts';
import { SIGKILL, stop } from './kill.ts';
import { autoRemove } from './remove.ts';
import { reconcileExecs } from './exec-exit.ts';
import { openRun } from './run-folder.ts';
import { watchHealth } from './health.ts';

/** Brings one container in line with what containerd knows of it. */
const reconcile = async (
  daemon: Daemon,
  container: Container,
  task: TaskInfo | null,
): Promise<void> => {
  if (task && container.isTaskUnwanted) {
    await daemon.tasks.discard(container.id);
    container.isTaskUnwanted = false;
    container.hasRecord = false;
    return;
  }
  const isAlive = task?.status === 'running' || task?.status === 'paused';
  if (task?.status === 'stopped' && !isRunning(container.state) && container.hasTask) {
    // Its exit is settled; only the collecting failed, because containerd was away.
    await daemon.tasks.delete(container.id);
    container.hasTask = false;
    if (container.record.isAutoRemove) {
      autoRemove(daemon, container);
      return;
    }
    await daemon.tasks.deleteContainer(container.id);
    container.hasRecord = false;
    return;
  }
  if (task && (isAlive || task.status === 'stopped') && !isRunning(container.state)) {
    // dockerd died between the start and its note of it.
    await daemon.store.update(container, {
      state: nextState(container.state, 'running', {
        pid: task.pid,
        exitCode: 0,
        error: '',
        startedAt: new Date().toISOString(),
      }),
    });
  }
  if (task?.status === 'created') {
    // Nobody will ever start it: the client that asked has seen its connection break.
    await daemon.tasks.discard(container.id);
    container.hasTask = false;
    container.hasRecord = false;
    return;
  }
  // Between two runs, and its timer runs, or `startAtBoot` will see to it.
  if (container.state.status === 'restarting' && !task) return;
  if (!isRunning(container.state)) {
    if (container.state.status === 'exited' && container.record.isAutoRemove) {
      // Whether its record is still there is not known: dockerd may have died at any moment.
      container.hasRecord = true;
      autoRemove(daemon, container);
    }
    return;
  }
  const isAdopted = container.run === null;
  if (!container.run) {
    container.run = openRun(daemon, container);
    container.run.begin();
    container.hasStarted();
    watchHealth(daemon, container);
  }
  container.hasTask = task !== null;
  container.hasRecord = true;
  if (isAlive) {
    await adoptNetworks(daemon, container);
    if (isAdopted) tellAdoption(daemon, container);
    await reconcileExecs(daemon, container);
    return;
  }
  // It exited while nobody listened, or its shim was killed and took the code along.
  void handleExit(daemon, container, {
    pid: container.state.pid,
    exitCode: task?.exitCode ?? LOST_EXIT_CODE,
    exitedAt: task?.exitedAt ?? new Date().toISOString(),
  }).catch((error: unknown) => {
    process.stderr.write(`dockerd: container ${container.id}: ${messageOf(error)}\n`);
  });
};

/** Its story goes on in the trace in which it was started. */
const tellAdoption = ({ tracer }: Daemon, { id, state, record }: Container): void => {
  if (!record.startedIn) return;
  tracer.emit({
    type: 'spanEvent',
    ...record.startedIn,
    cause: processId(process.pid, 'exec'),
    level: 'chapter',
    name: 'container adopted',
    attributes: { 'container.id': id, 'process.pid': state.pid },
    source: __SOURCE__,
  });
};

const reconcileAll = async (daemon: Daemon): Promise<void> => {
  const listed = new Set((await daemon.tasks.list()).map((task) => task.containerId));
  for (const container of daemon.store.list()) {
    try {
      await container.exclusively(async () => {
        const isKnown = listed.has(container.id) || isRunning(container.state);
        // Asked again: the list may be older than a start that we have waited for.
        const task = isKnown ? await daemon.tasks.get(container.id) : null;
        await reconcile(daemon, container, task);
      });
    } catch (error) {
      process.stderr.write(`dockerd: container ${container.id}: ${messageOf(error)}\n`);
    }
  }
};

/**
 * Listens for exits as long as dockerd lives; when containerd goes, waits for the next one.
 * Subscribed first, looked around second: between the two nothing can be missed.
 */
export const followTasks = async (daemon: Daemon, onReady: () => void): Promise<void> => {
  while (!daemon.signal.aborted) {
    try {
      await waitUntilServing(daemon.channel, daemon.signal);
      const events = daemon.tasks.events(daemon.signal);
      const first = events.next();
      first.catch(() => undefined);
      await reconcileAll(daemon);
      onReady();
      for (let result = await first; !result.done; result = await events.next()) {
        handleTaskEvent(daemon, result.value);
      }
    } catch (error) {
      if (daemon.signal.aborted) return;
      process.stderr.write(`dockerd: lost containerd: ${messageOf(error)}\n`);
    }
  }
};

/**
 * A stop in good order: without live-restore the containers stop too; with it they are left to the next dockerd.
 * (A crash gets here never, and leaves them alone either way.) Real dockerd stops what runs at this moment, and what is
 * still being started stays behind with its shim and its mounts; here no start outlives it.
 */
export const shutDown = async (daemon: Daemon): Promise<void> => {
  daemon.lifecycle.isShuttingDown = true;
  const containers = daemon.store.list();
  await Promise.allSettled(containers.map((container) => settleForGood(daemon, container)));
  await Promise.allSettled(containers.map(async (container) => container.run?.abandon()));
  await daemon.store.settled();
};

const settleForGood = async (daemon: Daemon, container: Container): Promise<void> => {
  const { isLiveRestore } = daemon.options;
  // A process that still waits for its start may wait long: a gate holds it. Where there is none yet, `startTask` stops.
  if (!isLiveRestore && container.hasTask && !isRunning(container.state))
    await daemon.tasks.kill(container.id, SIGKILL).catch(() => undefined);
  await container.settled();
  if (!isLiveRestore && isRunning(container.state))
    await stop(daemon, container, { timeoutSeconds: null });
  // What a start that came to nothing, or an exit, has brought about: --rm.
  await container.settled();
};
