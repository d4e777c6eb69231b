/**
 * An exec has exited: its output is read to its end, its exit code kept for who asks, and nothing else is left.
 * Upstream: moby daemon/monitor.go ProcessEvent.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../protocol/errdefs.ts';
import { taskEventId } from '../../protocol/trace/event-id.ts';
import { withContext } from '../../tracing/context.ts';
import type { Container } from '../container/container.ts';
import type { Exec } from '../container/exec.ts';
import type { TaskExit } from '../containerd-client/tasks.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

/** A child of the exec may hold its output open for ever; Docker waits as long. */
const DRAIN_MS = 2000;

const complain =
  (what: string) =>
  (error: unknown): void => {
    process.stderr.write(`dockerd: ${what}: ${messageOf(error)}\n`);
  };

export const handleExecExit = async (
  daemon: Daemon,
  container: Container,
  { execId, pid, exitCode }: TaskExit,
): Promise<void> => {
  const exec = daemon.execs.byId(execId);
  if (!exec) {
    // Of an earlier dockerd, whose client is gone as well.
    await daemon.execClient.delete(container.id, execId);
    const folder = join(daemon.options.execRoot, 'containers', container.id);
    for (const name of ['stdin', 'stdout', 'stderr']) {
      rmSync(join(folder, `${execId}-${name}`), { force: true });
    }
    return;
  }
  await exec.started;
  if (exec.state !== 'running') return;
  if (!exec.startedIn) {
    await withContext(undefined, () => endExec(daemon, exec, exitCode));
    return;
  }
  await withContext(exec.startedIn, () =>
    daemon.tracer.span(
      'daemon.handleExecExit',
      {
        cause: taskEventId('/tasks/exit', container.id, execId, pid),
        attributes: { 'container.id': container.id, 'process.exit.code': exitCode },
        source: __SOURCE__,
      },
      () => endExec(daemon, exec, exitCode),
    ),
  );
};

/** `beforeEnd` may say a last word to the client. */
export const endExec = async (
  daemon: Daemon,
  exec: Exec,
  exitCode: number,
  beforeEnd: () => void = () => undefined,
): Promise<void> => {
  const { container, run } = exec;
  const hasRun = exec.state === 'running';
  // From here on nobody ends it a second time.
  exec.state = 'exited';
  exec.exitedAt = Date.now();
  exec.exitCode = exitCode;
  exec.pid = 0;
  if (run && hasRun) await drainedOrLate(run.drained);
  beforeEnd();
  // Only now the client asks for the exit code.
  exec.hub.end();
  exec.hasEnded();
  await daemon.execClient.delete(container.id, exec.id).catch(complain(`exec ${exec.id}`));
  run?.dispose();
  exec.run = null;
  if (!hasRun) return;
  daemon.events.emit(
    containerEvent(container, 'exec_die', { execID: exec.id, exitCode: String(exitCode) }),
  );
};

const drainedOrLate = async (drained: Promise<void>): Promise<void> => {
  const abort = new AbortController();
  const late = setTimeout(DRAIN_MS, undefined, { signal: abort.signal }).catch(() => undefined);
  await Promise.race([drained, late]);
  abort.abort();
};

/** The container has gone, and whatever ran in it: an exit that nobody told ends here. */
export const endExecsOf = async (
  daemon: Daemon,
  container: Container,
  exitCode: number,
): Promise<void> => {
  const running = daemon.execs.of(container).filter(({ state }) => state === 'running');
  await Promise.all(running.map((exec) => endExec(daemon, exec, exitCode)));
};

/** After containerd was away: exits that were told to nobody. */
export const reconcileExecs = async (daemon: Daemon, container: Container): Promise<void> => {
  for (const exec of daemon.execs.of(container)) {
    if (exec.state !== 'running') continue;
    const exitCode = await daemon.execClient.exitCode(container.id, exec.id);
    if (exitCode !== null) await endExec(daemon, exec, exitCode ?? LOST);
  }
};
/** Docker's number for an exit that nobody saw. */
const LOST = 255;
