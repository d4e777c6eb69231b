/**
 * `docker start`: configuration → OCI specification → containerd, which makes the task and starts it.
 * Upstream: moby daemon/start.go.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { EngineError } from '../../protocol/errdefs.ts';
import { currentContext } from '../../tracing/context.ts';
import { nextState, isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { ContainerRun } from '../container/container-run.ts';
import { readUserFiles } from '../images/root-view.ts';
import { networkFilesIn, writeNetworkFiles } from '../oci/network-files.ts';
import { containerSpec } from '../oci/spec.ts';
import { resolveUser } from '../oci/user.ts';
import { checkPropagation } from '../volumes/propagation.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { autoRemove } from './remove.ts';
import { makeMissingSources, tellMounts } from './mounts.ts';
import { openRun } from './run-folder.ts';
import { ipcOf, makeSharedMemory, pidNamespace, removeSharedMemory } from './shared-namespaces.ts';
import { startFailure } from './start-failure.ts';
import { watchHealth } from './health.ts';
import { initProgram } from './init-program.ts';
import { linkEnvironment, tellParents } from './links.ts';
import { enterNetworks, leaseEndpoints, leaveNetworks } from './endpoints.ts';
import { networkLender, networkNamespace } from './network-mode.ts';
import { networkView } from './network-view.ts';

export const start = (daemon: Daemon, container: Container): Promise<void> =>
  container.exclusively(async () => {
    const { status } = container.state;
    if (status === 'paused') {
      throw new EngineError('conflict', 'cannot start a paused container, try unpause instead');
    }
    if (isRunning(container.state)) {
      throw new EngineError('not_modified', `container ${container.id} is already running`);
    }
    if (container.isRemoving || status === 'removing' || status === 'dead') {
      throw new EngineError('conflict', 'container is marked for removal and cannot be started');
    }
    await daemon.tracer.span(
      'daemon.start',
      {
        attributes: { 'container.id': container.id, 'container.name': container.name },
        source: __SOURCE__,
      },
      async () => {
        container.backOff.reset();
        container.isToStay = false;
        // Written down with the rest, before there is a task.
        container.record = { ...container.record, restartCount: 0, hasBeenStopped: false };
        await startTask(daemon, container);
      },
    );
  });

/** Precondition: nothing runs, and nobody else changes the container. */
export const startTask = async (daemon: Daemon, container: Container): Promise<void> => {
  let opened = null as ContainerRun | null;
  refuseAtTheEnd(daemon);
  try {
    container.isTaskUnwanted = false;
    const run = await createTask(daemon, container, () => (opened = openRun(daemon, container)));
    refuseAtTheEnd(daemon);
    container.run = run;
    run.begin();
    await daemon.tasks.start(container.id);
  } catch (error) {
    throw await failedStart(daemon, container, opened, error);
  }
  // The exit may have been told already; it waits behind us for this container.
  await daemon.store.update(container, {
    state: nextState(container.state, 'running', {
      exitCode: 0,
      error: '',
      isOomKilled: false,
      startedAt: new Date().toISOString(),
    }),
  });
  container.hasStarted();
  watchHealth(daemon, container);
  daemon.events.emit(containerEvent(container, 'start'));
};

/** Whoever stops dockerd waits for what is being started, and nothing may come after that. */
const refuseAtTheEnd = ({ lifecycle }: Daemon): void => {
  if (lifecycle.isShuttingDown)
    throw new EngineError('unavailable', 'dockerd is shutting down: no container is started');
};

const createTask = async (
  daemon: Daemon,
  container: Container,
  open: () => ContainerRun,
): Promise<ContainerRun> => {
  const { id, hostConfig: host } = container;
  const { config, imageRef } = container.record;
  const runtime = daemon.runtimes.get(host.Runtime);
  const ipc = ipcOf(daemon, container);
  const namespaces = {
    network: networkNamespace(daemon, host.NetworkMode),
    pid: pidNamespace(daemon, host),
    ipc: ipc.namespace,
  };
  const lender = networkLender(daemon, host.NetworkMode);
  leaseEndpoints(daemon, container);
  const linkEnv = linkEnvironment(daemon, container);
  const mounts = container.layer ?? (await daemon.images.snapshotMounts(id));
  const files = lender
    ? networkFilesIn(lender.directory)
    : writeNetworkFiles(container.directory, config, host, networkView(daemon, container));
  const userFiles = await readUserFiles(
    daemon.native,
    mounts,
    join(daemon.options.execRoot, 'views', id),
  );
  const user = resolveUser(config.User, userFiles, host.GroupAdd);
  const { cgroupParent } = daemon.options;
  const { mountPoints } = container;
  // Where the pid namespace is shared, somebody else is its first process.
  const init = initProgram(host.Init === true && host.PidMode === '');
  await makeMissingSources(mountPoints);
  checkPropagation(mountPoints);
  makeSharedMemory(daemon, container);
  const spec = containerSpec({
    id,
    config,
    host,
    user,
    linkEnv,
    files,
    namespaces,
    sharedMemory: ipc.sharedMemory,
    mountPoints,
    init,
    cgroupParent,
  });
  // Written before the task exists: whatever happens next, the exit finds its trace.
  await daemon.store.update(container, { startedIn: currentContext() ?? null });
  container.hasTask = true;
  container.hasRecord = true;
  const isKnown = makeRecord(daemon, { id, image: imageRef, spec, labels: {}, runtime });
  // Awaited below, and not unhandled until then.
  isKnown.catch(() => undefined);
  // The request leaves with this turn of the event loop; FIFOs and log are made while containerd is at it.
  await setImmediate();
  let run: ContainerRun;
  try {
    run = open();
  } finally {
    await isKnown;
  }
  const pid = await daemon.tasks.create(id, mounts, run.stdio);
  container.record = { ...container.record, state: { ...container.state, pid } };
  tellMounts(daemon, container, 'mount');
  await enterNetworks(daemon, container);
  await tellParents(daemon, container);
  return run;
};

/** A dockerd that was killed in the middle of a start leaves its half behind. */
const makeRecord = async (
  { tasks }: Daemon,
  record: Parameters<Daemon['tasks']['createContainer']>[0],
): Promise<void> => {
  try {
    await tasks.createContainer(record);
  } catch (error) {
    if (!(error instanceof EngineError && error.kind === 'already_exists')) throw error;
    await tasks.discard(record.id);
    await tasks.createContainer(record);
  }
};

/** Takes everything back, keeps the reason, and answers what to throw. */
const failedStart = async (
  daemon: Daemon,
  container: Container,
  run: ContainerRun | null,
  cause: unknown,
): Promise<EngineError> => {
  const { exitCode, error } = startFailure(cause);
  container.isTaskUnwanted = await daemon.tasks.discard(container.id).then(
    () => false,
    () => true,
  );
  leaveNetworks(daemon, container);
  removeSharedMemory(daemon, container);
  container.hasTask = false;
  container.hasRecord = container.isTaskUnwanted;
  container.run = null;
  await run?.dispose();
  container.hub.end();
  await daemon.store.update(container, {
    state: nextState(container.state, container.state.status === 'created' ? 'created' : 'exited', {
      pid: 0,
      exitCode,
      error: error.message,
      finishedAt: new Date().toISOString(),
    }),
  });
  container.hasExited();
  daemon.events.emit(containerEvent(container, 'die', { exitCode: String(exitCode) }));
  if (container.record.isAutoRemove) autoRemove(daemon, container);
  return error;
};
