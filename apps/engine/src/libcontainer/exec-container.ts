/**
 * `runc exec`: one more process in a container that runs.
 * Upstream: runc exec.go, libcontainer/container_linux.go (newSetnsProcess).
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { State } from '../protocol/oci/state.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { type Cgroup, cgroupAt } from './cgroups/paths.ts';
import { openCallerLine } from './caller-line.ts';
import { compileExec } from './compile-exec.ts';
import { type ConsoleChannel, openConsole, ownedStdio } from './console-channel.ts';
import { execFailed, executeFailed } from './error-message.ts';
import { type SubCgroups, subCgroupsOf } from './exec-cgroup.ts';
import { homeOf } from './home.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { namespacesToEnter } from './namespaces-of.ts';
import type { Plan } from './plan/step.ts';
import { runPlan } from './run-plan.ts';
import { asksAgent, informAgent } from './seccomp/agent.ts';
import { type ContainerState, readProcess, readSpec, readState } from './state-file.ts';
import { watchProcess } from './watch-process.ts';

export interface ExecOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
  /** The OCI `process` object. What it leaves out (capabilities, rlimits …) is as for the container's first process. */
  readonly process: Process;
  /** The program, where it is not the first of the arguments. */
  readonly executable?: string;
  /** What becomes 0, 1 and 2 of the process. With `process.terminal` only runc itself uses them: give /dev/null. */
  readonly stdio: readonly [number, number, number];
  /** A connected unix socket that gets the pty's master instead of the caller (`--console-socket`). */
  readonly consoleSocket?: number;
  readonly facts?: HostFacts;
  /** Descriptors of this process that the program gets as 3, 4 … (`--preserve-fds`). */
  readonly preservedFds?: readonly number[];
  /** `--cgroup`: which cgroups below the container's it joins instead of the container's own. */
  readonly subCgroups?: SubCgroups;
  /** Also into a frozen container, where the process then waits for the thaw. */
  readonly ignorePaused?: boolean;
}

export interface ExecutedProcess {
  /** In the host's pid namespace. It is the child of the nearest subreaper: reap it. */
  readonly pid: number;
  /** pidfd_open(2) of it. The caller owns and closes it. */
  readonly pidfd: number;
  readonly startTime: string;
  /** The pty's master when `process.terminal` (and no consoleSocket). The caller owns and closes it. */
  readonly ptyMaster: number | null;
}

/**
 * Precondition: this process or one above it is a subreaper.
 * Resolves when the program runs: its `execve` has succeeded. Rejects with the sentence that runc logs.
 */
export const execContainer = async (options: ExecOptions): Promise<ExecutedProcess> => {
  const { native, tracer, root, id } = options;
  const words = {
    source: __SOURCE__,
    attributes: { 'container.id': id, 'process.command_args': options.process.args ?? [] },
  } as const;
  return tracer.span('runc exec', words, async (span) => {
    const state = readState(root, id);
    if (state.status === 'stopped') throw refused('cannot exec in a stopped container');
    if (state.status === 'paused' && options.ignorePaused !== true)
      throw refused('cannot exec in a paused container (use --ignore-paused to override)');
    const container = openContainer(native, state);
    try {
      return await exec({
        ...options,
        state,
        spec: readSpec(root, id),
        span,
        container,
      });
    } finally {
      native.close(container);
    }
  });
};

const refused = (sentence: string): EngineError =>
  new EngineError('failed_precondition', `exec failed: ${sentence}`);

/** Looked at once more behind the pidfd: now it is certain that the number has not passed to another process. */
const openContainer = (native: Native, { pid, startTime }: ContainerState): number => {
  const gone = refused('cannot exec in a stopped container');
  let pidfd: number;
  try {
    pidfd = native.pidfdOpen(pid);
  } catch {
    throw gone;
  }
  if (readProcess(pid)?.startTime === startTime) return pidfd;
  native.close(pidfd);
  throw gone;
};

interface Execution extends ExecOptions {
  readonly state: ContainerState;
  /** What the container was made from. */
  readonly spec: RuntimeSpec;
  readonly span: Span;
  /** pidfd of the container's init. */
  readonly container: number;
}

const exec = async (execution: Execution): Promise<ExecutedProcess> => {
  const { native, tracer, id, state, span, stdio, process } = execution;
  const plan = compile(execution);
  const console = openConsole(native, {
    terminal: process.terminal === true,
    consoleSocket: execution.consoleSocket,
    words: 'exec failed',
  });
  const agent = openCallerLine(native, asksAgent(execution.spec.linux?.seccomp));
  try {
    const running = runPlan({
      native,
      tracer,
      plan,
      argv: ['runc', 'exec', id],
      stdio,
      cwd: state.bundle,
      extraFds: [
        execution.container,
        ...console.extraFds,
        ...agent.extraFds,
        ...(execution.preservedFds ?? []),
      ],
      span,
      containerId: id,
      programArgv: process.args ?? [],
    });
    console.handedOver();
    agent.serve(async () => tellAgent(execution, (await running.born) ?? 0));
    const outcome = await running.exited;
    const { executable } = execution;
    const args = executable === undefined ? (process.args ?? []) : [executable];
    const subject = { args, cwd: process.cwd };
    if (outcome.code !== 0 || outcome.initPid === null) {
      if (outcome.initPid !== null) await bury(native, outcome.initPid);
      const refusal = agent.error();
      if (refusal !== null) throw new EngineError('unknown', `exec failed: ${messageOf(refusal)}`);
      throw new EngineError('unknown', execFailed(outcome.failure, subject));
    }
    const failure = await running.ended;
    if (failure) {
      await bury(native, outcome.initPid);
      throw new EngineError(
        'unknown',
        `exec failed: unable to start container process: ${executeFailed(failure, subject)}`,
      );
    }
    return executed(native, outcome.initPid, console);
  } finally {
    console.close();
    agent.close();
  }
};

const tellAgent = ({ native, state, spec }: Execution, pid: number): void => {
  const policy = spec.linux?.seccomp;
  const { ociVersion, id, bundle, annotations } = state;
  const ofContainer: State = {
    ...{ ociVersion, id, bundle, annotations },
    ...{ status: 'running', pid: state.pid },
  };
  if (policy) informAgent(native, policy, { pid, state: ofContainer });
};

const executed = (native: Native, pid: number, console: ConsoleChannel): ExecutedProcess => {
  const pidfd = native.pidfdOpen(pid);
  try {
    const startTime = readProcess(pid)?.startTime ?? '';
    return { pid, pidfd, startTime, ptyMaster: console.receive() };
  } catch (error) {
    native.pidfdSendSignal(pidfd, 9);
    native.close(pidfd);
    throw new EngineError('unknown', `exec failed: ${messageOf(error)}`, { cause: error });
  }
};

/**
 * It is nobody's business any more, but must be collected: a zombie in the container's pid namespace would keep the
 * container's own end from coming. Its descriptors are closed a moment before it is dead, so it is waited for.
 */
const bury = async (native: Native, pid: number): Promise<void> => {
  await watchProcess(native, pid).exited;
};

/** Facts that hold for as long as this process lives. */
let ownFacts: HostFacts | undefined;

const compile = (execution: Execution): Plan => {
  const { state, id, process, stdio } = execution;
  const facts = execution.facts ?? (ownFacts ??= readHostFacts());
  const hasHome = (process.env ?? []).some((entry) => entry.startsWith('HOME='));
  try {
    return compileExec({
      spec: execution.spec,
      facts,
      id,
      bundle: state.bundle,
      rootfs: state.rootfs,
      process,
      executable: execution.executable,
      ownsStdio: ownedStdio(stdio),
      preservedFds: execution.preservedFds?.length ?? 0,
      // As the container sees its files now, whatever is mounted over them.
      home: hasHome ? '' : homeOf(`/proc/${state.pid}/root/.`, process.user.uid),
      namespaces: namespacesToEnter(state.pid),
      cgroups: cgroupsToJoin(facts, state, execution.subCgroups),
    });
  } catch (error) {
    throw new EngineError('invalid_argument', `exec failed: ${messageOf(error)}`, { cause: error });
  }
};

/** By the state file: config.json's path may be relative to a cgroup that only `create` was in. */
const cgroupsToJoin = (
  facts: HostFacts,
  state: ContainerState,
  named: SubCgroups = new Map(),
): readonly Cgroup[] => {
  const own = facts.hierarchies.flatMap(
    (hierarchy) => cgroupAt(hierarchy, state.cgroupPaths) ?? [],
  );
  if (named.size > 0) return subCgroupsOf(own, named);
  return own.map((cgroup) =>
    cgroup.hierarchy.version === 2 ? leafOf(facts, state.pid, cgroup) : cgroup,
  );
};

/** Version 2: a cgroup that has given its controllers on holds no processes; then it is init's own below it. */
const leafOf = (facts: HostFacts, pid: number, cgroup: Cgroup): Cgroup => {
  if ((facts.files.read(`${cgroup.path}/cgroup.subtree_control`) ?? '') === '') return cgroup;
  const own = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
  if (!own.startsWith(`${cgroup.inner}/`)) return cgroup;
  return { ...cgroup, inner: own, path: posix.join(cgroup.hierarchy.mountPoint, own) };
};
