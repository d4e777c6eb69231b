/**
 * `docker exec`: one more process in a running container. Created, then started, then asked for its exit code.
 * Upstream: moby daemon/exec.go.
 */
import type { Duplex } from 'node:stream';
import type { ExecCreateBody, ExecInspect } from '../../protocol/docker-engine-api/exec.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Process } from '../../protocol/oci/runtime-spec.ts';
import { currentContext } from '../../tracing/context.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { parseDetachKeys } from '../container/detach-keys.ts';
import { Exec } from '../container/exec.ts';
import { ExecRun } from '../container/exec-run.ts';
import { processOf } from '../oci/spec.ts';
import { resolveUser } from '../oci/user.ts';
import { pump } from './attach.ts';
import type { Daemon } from './daemon.ts';
import { linkEnvironment } from './links.ts';
import { containerEvent } from './events.ts';
import { endExec } from './exec-exit.ts';
import { outputTrace } from './output-trace.ts';
import { fifoDirectory } from './run-folder.ts';
import { startFailure } from './start-failure.ts';
import { userFilesIn } from './archive.ts';
import { withLiveRoot } from './container-root.ts';

const mustRun = ({ id, state }: Container): void => {
  if (!isRunning(state)) throw new EngineError('conflict', `container ${id} is not running`);
  if (state.status === 'paused') {
    throw new EngineError(
      'conflict',
      `Container ${id} is paused, unpause the container before exec`,
    );
  }
  if (state.status === 'restarting') {
    throw new EngineError(
      'conflict',
      `Container ${id} is restarting, wait until the container is running`,
    );
  }
};

const commandOf = ({ Cmd }: ExecCreateBody): string => (Cmd ?? []).join(' ');

export const createExec = async (
  daemon: Daemon,
  container: Container,
  config: ExecCreateBody,
): Promise<string> => {
  await container.settled();
  mustRun(container);
  const { Cmd, Env, WorkingDir } = config;
  if (!Cmd || Cmd.length === 0) {
    throw new EngineError('invalid_argument', 'No exec command specified');
  }
  if ([...Cmd, ...Env, WorkingDir].some((text) => text.includes('\0'))) {
    throw new EngineError('invalid_argument', 'arguments and variables cannot contain a NUL byte');
  }
  parseDetachKeys(config.DetachKeys);
  const exec = new Exec(container, config);
  daemon.execs.add(exec);
  daemon.events.emit(
    containerEvent(container, `exec_create: ${commandOf(config)}`, { execID: exec.id }),
  );
  return exec.id;
};

export interface ExecStartOptions {
  readonly isDetached: boolean;
  readonly consoleSize: readonly number[];
  /** Makes the connection a stream; called when nothing but the program itself can fail any more. */
  readonly accept: () => Duplex;
  readonly encode: (stream: StreamName, bytes: Buffer) => Uint8Array;
}

export const startExec = async (
  daemon: Daemon,
  exec: Exec,
  { isDetached, consoleSize, accept, encode }: ExecStartOptions,
): Promise<void> => {
  if (exec.state === 'exited') {
    throw new EngineError('conflict', `Error: Exec command ${exec.id} has already run`);
  }
  if (exec.state !== 'created') {
    throw new EngineError('conflict', `Error: Exec command ${exec.id} is already running`);
  }
  mustRun(exec.container);
  const connection = isDetached ? null : accept();
  const leave = connection ? listen(exec, connection, encode) : () => undefined;
  const failure = await launchExec(daemon, exec, { isAttached: connection !== null, consoleSize });
  if (failure && !connection) throw failure;
  if (failure || !connection || !exec.run?.stdin) return;
  if (!(await feedStdin(daemon, exec, connection))) return;
  leave();
  connection.end();
  daemon.events.emit(containerEvent(exec.container, 'exec_detach', { execID: exec.id }));
};

/** A health probe of a container that is well is told to nobody. */
const inSpan = (daemon: Daemon, { container }: Exec, work: () => Promise<void>): Promise<void> =>
  currentContext()
    ? daemon.tracer.span(
        'daemon.execStart',
        { attributes: { 'container.id': container.id }, source: __SOURCE__ },
        work,
      )
    : work();

/** Answers why the program could not be started, when it could not; who listens has been told. */
export const launchExec = async (
  daemon: Daemon,
  exec: Exec,
  options: { readonly isAttached: boolean; readonly consoleSize: readonly number[] },
): Promise<EngineError | null> => {
  exec.state = 'starting';
  const starting = inSpan(daemon, exec, () => startProcess(daemon, exec, options));
  exec.started = starting.catch(() => undefined);
  try {
    await starting;
    return null;
  } catch (error) {
    const { exitCode, error: failure } = startFailure(error, 126);
    await endExec(daemon, exec, exitCode, () => {
      // The stream has begun: the sentence is part of it, as in Docker.
      exec.hub.write('stdout', Buffer.from(`${failure.message}\r\n`));
    });
    return failure;
  }
};

/** The client hears what the process prints, for as long as it is there. Answers the way to end that. */
const listen = (
  exec: Exec,
  connection: Duplex,
  encode: ExecStartOptions['encode'],
): (() => void) => {
  const { AttachStdin, AttachStdout, AttachStderr, Tty } = exec.config;
  const sink = {
    wants: { stdout: AttachStdout || Tty || !AttachStderr, stderr: AttachStderr },
    write: (stream: StreamName, bytes: Buffer) =>
      connection.destroyed || connection.write(encode(stream, bytes)),
    end: () => connection.end(),
  };
  if (!AttachStdin) connection.resume();
  connection.on('drain', () => exec.hub.drained(sink));
  const leave = (): void => {
    exec.hub.delete(sink);
  };
  connection.once('close', leave);
  exec.hub.add(sink);
  return leave;
};

const startProcess = async (
  daemon: Daemon,
  exec: Exec,
  options: { readonly isAttached: boolean; readonly consoleSize: readonly number[] },
): Promise<void> => {
  const { container, config } = exec;
  const process = await processFor(daemon, exec, options.consoleSize);
  exec.startedIn = currentContext() ?? null;
  const nobody = { stdin: '', stdout: '', stderr: '', isTerminal: config.Tty };
  if (options.isAttached) {
    exec.run = new ExecRun({
      exec,
      fifoDirectory: fifoDirectory(daemon, container.id),
      native: daemon.native,
      onOutput: outputTrace(daemon.tracer, {
        containerId: container.id,
        isTerminal: config.Tty,
        context: () => exec.startedIn,
      }),
    });
  }
  await daemon.execClient.add(container.id, exec.id, process, exec.run?.stdio ?? nobody);
  exec.pid = await daemon.execClient.start(container.id, exec.id);
  exec.state = 'running';
  exec.run?.begin();
  daemon.events.emit(
    containerEvent(container, `exec_start: ${commandOf(config)}`, { execID: exec.id }),
  );
};

/** As the container's own process, but for what was asked otherwise. */
const processFor = async (
  daemon: Daemon,
  { container, config }: Exec,
  consoleSize: readonly number[],
): Promise<Process> => {
  const { hostConfig: host } = container;
  const { config: own } = container.record;
  const userFiles = await withLiveRoot(daemon, container, userFilesIn);
  const user = resolveUser(config.User || own.User, userFiles, host.GroupAdd);
  const size = consoleSize.some((length) => length > 0) ? consoleSize : config.ConsoleSize;
  return processOf({
    config: {
      ...own,
      Tty: config.Tty,
      Entrypoint: null,
      Cmd: config.Cmd,
      Env: [...own.Env, ...config.Env],
      WorkingDir: config.WorkingDir || own.WorkingDir,
    },
    host: { ...host, ConsoleSize: [...size], Privileged: host.Privileged || config.Privileged },
    user,
    init: null,
    linkEnv: linkEnvironment(daemon, container),
  });
};
/** True when the user has typed the keys to leave. */
const feedStdin = async (daemon: Daemon, exec: Exec, connection: Duplex): Promise<boolean> => {
  const { run, container, config } = exec;
  if (!run?.stdin) return false;
  const keys = config.Tty ? parseDetachKeys(config.DetachKeys) : null;
  const isLeaving = await pump(connection, run.stdin, keys);
  // A terminal has no end of input.
  if (!config.Tty && exec.run === run) {
    run.closeStdin();
    // It may have exited meanwhile: then there is no stdin to close.
    await daemon.execClient.closeStdin(container.id, exec.id).catch(() => undefined);
  }
  connection.resume();
  return isLeaving;
};

export const inspectExec = ({ id, container, config, state, exitCode, pid }: Exec): ExecInspect => {
  const [entrypoint = '', ...args] = config.Cmd ?? [];
  return {
    ID: id,
    Running: state === 'running' || state === 'starting',
    ExitCode: exitCode,
    ProcessConfig: {
      tty: config.Tty,
      entrypoint,
      arguments: args,
      privileged: config.Privileged,
      ...(config.User ? { user: config.User } : {}),
    },
    OpenStdin: config.AttachStdin,
    OpenStderr: config.AttachStderr,
    OpenStdout: config.AttachStdout,
    CanRemove: false,
    ContainerID: container.id,
    DetachKeys: config.DetachKeys,
    Pid: pid,
  };
};

export const resizeExec = async (
  daemon: Daemon,
  exec: Exec,
  size: { readonly height: number; readonly width: number },
): Promise<void> => {
  // The client asks at once; the terminal is there when the start is through.
  await exec.started;
  if (exec.state !== 'running') {
    throw new EngineError(
      'invalid_argument',
      `cannot resize a stopped container: process ${exec.id} is not running`,
    );
  }
  await daemon.execClient.resize(exec.container.id, exec.id, size.height, size.width);
};

/** The log of `docker inspect`: those that are not over. */
export const execIdsOf = (daemon: Daemon, container: Container): readonly string[] | null => {
  const ids = daemon.execs
    .of(container)
    .filter(({ state }) => state !== 'exited')
    .map(({ id }) => id);
  return ids.length > 0 ? ids : null;
};
