/** `docker kill` and `docker stop`. Upstream: moby daemon/{kill,stop}.go. */
import { setTimeout } from 'node:timers/promises';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { signalNumber } from '../container/signals.ts';
import { cancelRestart } from './cancel-restart.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { unpause } from './pause.ts';

const SIGTERM = 15;
export const SIGKILL = 9;
const DEFAULT_STOP_SECONDS = 10;
/** How long the kernel may take to be through with a killed process. */
const KILL_PATIENCE_MS = 10_000;

/** A user wants it to end: no restart policy starts it again. (dockerd's own end is not a user's wish.) */
const keepsStopped = async (daemon: Daemon, container: Container): Promise<void> => {
  container.isToStay = true;
  if (!daemon.lifecycle.isShuttingDown && !container.record.hasBeenStopped) {
    await daemon.store.update(container, { hasBeenStopped: true });
  }
};

/** Whether a container is meant to end by this signal. */
const isMeantToEnd = ({ record }: Container, signal: number): boolean => {
  const { StopSignal } = record.config;
  return StopSignal === '' || signal === SIGKILL || signalNumber(StopSignal) === signal;
};

const send = async (daemon: Daemon, container: Container, signal: number): Promise<void> => {
  if (isMeantToEnd(container, signal)) await keepsStopped(daemon, container);
  try {
    await daemon.tasks.kill(container.id, signal);
  } catch (error) {
    // It exited by itself meanwhile.
    if (kindOf(error) !== 'not_found' && kindOf(error) !== 'failed_precondition') throw error;
    return;
  }
  // A frozen process takes its signal when it is thawed. (For SIGKILL the shim thaws by itself.)
  if (
    container.state.status === 'paused' &&
    signal !== SIGKILL &&
    isMeantToEnd(container, signal)
  ) {
    await unpause(daemon, container).catch((error: unknown) => {
      if (kindOf(error) !== 'conflict') throw error;
    });
  }
};

export const kill = async (
  daemon: Daemon,
  container: Container,
  signalText: string,
): Promise<void> => {
  const signal = signalText === '' ? SIGKILL : signalNumber(signalText);
  await container.settled();
  const isBetweenRuns = container.state.status === 'restarting';
  if (isBetweenRuns) {
    await keepsStopped(daemon, container);
    await cancelRestart(daemon, container);
  }
  if (isBetweenRuns || !isRunning(container.state)) {
    throw new EngineError(
      'conflict',
      `cannot kill container: ${container.name}: container ${container.id} is not running`,
    );
  }
  if (signal === SIGKILL) {
    await forceKill(daemon, container);
  } else {
    await send(daemon, container, signal);
  }
  daemon.events.emit(containerEvent(container, 'kill', { signal: String(signal) }));
};

/** SIGKILL, and the exit awaited. */
export const forceKill = async (daemon: Daemon, container: Container): Promise<void> => {
  const abort = new AbortController();
  const exit = container.nextExit(abort.signal);
  try {
    if (container.state.status === 'restarting') await cancelRestart(daemon, container);
    if (!isRunning(container.state)) return;
    await send(daemon, container, SIGKILL);
    await within(KILL_PATIENCE_MS, exit, container, abort.signal);
  } finally {
    abort.abort();
  }
};

const within = async (
  timeoutMs: number,
  exit: Promise<unknown>,
  container: Container,
  signal: AbortSignal,
): Promise<void> => {
  const late = setTimeout(timeoutMs, 'late', { signal }).catch(() => 'aborted');
  if ((await Promise.race([exit, late])) === 'late' && isRunning(container.state)) {
    throw new EngineError(
      'internal',
      `container ${container.id} PID ${container.state.pid} is zombie and can not be killed. Use the --init option when creating containers to run an init inside the container that forwards signals and reaps processes`,
    );
  }
};

export interface StopOptions {
  /** null: what the container says, or ten seconds; negative: wait for ever. */
  readonly timeoutSeconds: number | null;
  readonly signal?: string;
}

export const stop = async (
  daemon: Daemon,
  container: Container,
  { timeoutSeconds, signal }: StopOptions,
): Promise<void> => {
  await container.settled();
  if (!isRunning(container.state)) {
    throw new EngineError('not_modified', `container ${container.id} is already stopped`);
  }
  await keepsStopped(daemon, container);
  if (container.state.status === 'restarting') {
    await cancelRestart(daemon, container);
    daemon.events.emit(containerEvent(container, 'stop'));
    return;
  }
  const { StopSignal, StopTimeout } = container.record.config;
  const first = signal || StopSignal ? signalNumber(signal || StopSignal) : SIGTERM;
  const seconds = timeoutSeconds ?? StopTimeout ?? DEFAULT_STOP_SECONDS;
  const abort = new AbortController();
  const exit = container.nextExit(abort.signal);
  try {
    await send(daemon, container, first);
    const patience =
      seconds < 0
        ? new Promise<'late'>(() => undefined)
        : setTimeout(seconds * 1000, 'late' as const, { signal: abort.signal }).catch(
            () => 'aborted',
          );
    const outcome = isRunning(container.state) ? await Promise.race([exit, patience]) : 'exited';
    if (outcome === 'late') await forceKill(daemon, container);
  } finally {
    abort.abort();
  }
  daemon.events.emit(containerEvent(container, 'stop'));
};
