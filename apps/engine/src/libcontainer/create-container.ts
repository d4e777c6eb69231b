/**
 * `runc create`: from a bundle to a process that is parked in front of its program.
 * Upstream: runc create.go, libcontainer/container_linux.go.
 */
import { isAbsolute, join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { State } from '../protocol/oci/state.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { isFrozen } from './cgroups/freezer.ts';
import { warnOfOccupants } from './cgroups/occupants.ts';
import { cgroupPathsOf } from './cgroups/paths.ts';
import { openCallerLine } from './caller-line.ts';
import { compileCreate } from './compile-create.ts';
import { readConfig } from './config-file.ts';
import { type ConsoleChannel, openConsole, ownedStdio } from './console-channel.ts';
import { createFailed, executeFailed } from './error-message.ts';
import { homeOf } from './home.ts';
import { hasCreateHooks, runHooks } from './hooks.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { makeIdMapNamespaces } from './id-map-namespace.ts';
import { idMapsOf } from './rootfs/id-maps.ts';
import { imageModeOf } from './rootfs/image-mode.ts';
import { innermostPid, namespaceAttributes } from './namespaces-of.ts';
import { newState } from './new-state.ts';
import { asksAgent, informAgent } from './seccomp/agent.ts';
import type { Plan } from './plan/step.ts';
import { type RunningPlan, runPlan } from './run-plan.ts';
import {
  execFifoPath,
  makeStateFolder,
  readProcess,
  removeStateFolder,
  stateFolder,
  writeSpec,
  writeState,
} from './state-file.ts';
import { oomOr, undoCreate } from './undo-create.ts';

export interface CreateOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  /** Where runc keeps its state: `<root>/<id>/`, see state-file.ts. */
  readonly root: string;
  readonly id: string;
  /** Absolute path of the bundle; config.json is read from it, root.path is ready (mounted by the shim). */
  readonly bundle: string;
  /** What becomes 0, 1 and 2 of the container. With `process.terminal` only runc itself uses them: give /dev/null. */
  readonly stdio: readonly [number, number, number];
  /** A connected unix socket that gets the pty's master instead of the caller (`--console-socket`). */
  readonly consoleSocket?: number;
  /** What stands in config.json, where it was read already: it may change at any moment. */
  readonly spec?: RuntimeSpec | undefined;
  /** The caller's session keyring instead of a new one (`--no-new-keyring`). */
  readonly keepSessionKeyring?: boolean;
  /** Move the root instead of pivot_root(2) (`--no-pivot`). */
  readonly noPivot?: boolean;
  /** What goes well, but should be known. */
  readonly onWarning?: (message: string) => void;
  /** Read from /proc when absent. */
  readonly facts?: HostFacts;
  /** Descriptors of this process that the program gets as 3, 4 … (`--preserve-fds`). */
  readonly preservedFds?: readonly number[];
}

export interface CreatedContainer {
  /** The container's init in the host's pid namespace. It is the child of the nearest subreaper: reap it. */
  readonly pid: number;
  /** pidfd_open(2) of init. The caller owns and closes it. */
  readonly pidfd: number;
  /** Field 22 of /proc/<pid>/stat: with the pid it names the process for as long as the machine is up. */
  readonly startTime: string;
  /** The pty's master when `process.terminal` (and no consoleSocket). The caller owns and closes it. */
  readonly ptyMaster: number | null;
  /**
   * Resolves when the container's program runs: init's `execve` succeeded, after `startContainer`.
   * Rejects with what runc would say when a step after the start failed (the container then exits by itself).
   * A rejection that nobody awaits is no unhandled rejection.
   */
  readonly execed: Promise<void>;
}

/** Facts that hold for as long as this process lives. */
let ownFacts: HostFacts | undefined;

/**
 * Resolves when init is parked on exec.fifo and runc has left.
 * Rejects with an EngineError whose message is the one that runc logs; nothing is left behind then.
 */
export const createContainer = async (options: CreateOptions): Promise<CreatedContainer> => {
  const { tracer, root, id, bundle } = options;
  if (!isAbsolute(bundle))
    throw new EngineError('invalid_argument', `the bundle must be an absolute path: ${bundle}`);
  const spec = options.spec ?? readConfig(bundle);
  try {
    makeStateFolder(root, id);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.kind, `runc create failed: ${error.message}`, { cause: error });
  }
  const words = {
    source: __SOURCE__,
    attributes: { 'container.id': id, 'engineroom.bundle': bundle },
  } as const;
  return tracer.span('runc create', words, async (span) => {
    const facts = options.facts ?? (ownFacts ??= readHostFacts());
    try {
      return await create({ ...options, facts, spec, span });
    } catch (error) {
      removeStateFolder(root, id);
      throw error;
    }
  });
};

interface Creation extends CreateOptions {
  readonly facts: HostFacts;
  readonly spec: RuntimeSpec;
  readonly span: Span;
}

const create = async (creation: Creation): Promise<CreatedContainer> => {
  const { native, tracer, id, bundle, stdio, span, spec } = creation;
  const plan = compile(creation);
  const cgroupPaths = cgroupPathsOf(creation);
  if (creation.onWarning) warnOfOccupants(cgroupPaths, creation.onWarning);
  // init would join it and stand still, and nobody could even kill it.
  if (isFrozen(cgroupPaths))
    throw new EngineError(
      'failed_precondition',
      "runc create failed: container's cgroup unexpectedly frozen",
    );
  const console = openConsole(native, {
    terminal: spec.process?.terminal === true,
    consoleSocket: creation.consoleSocket,
    words: 'runc create failed',
  });
  const hooks = openCallerLine(native, hasCreateHooks(spec));
  const agent = openCallerLine(native, asksAgent(spec.linux?.seccomp));
  let idMaps: readonly number[] = [];
  let running: RunningPlan;
  try {
    idMaps = await makeIdMapNamespaces(idMapsOf(spec), creation);
    running = runPlan({
      native,
      tracer,
      plan,
      argv: ['runc', 'create', '--bundle', bundle, id],
      stdio,
      cwd: bundle,
      extraFds: [
        ...console.extraFds,
        ...hooks.extraFds,
        ...agent.extraFds,
        ...idMaps,
        ...(creation.preservedFds ?? []),
      ],
      span,
      containerId: id,
      programArgv: spec.process?.args ?? [],
    });
  } catch (error) {
    console.close();
    hooks.close();
    agent.close();
    throw error;
  } finally {
    for (const fd of idMaps) native.close(fd);
  }
  // While runc is at work.
  const specKept = keepSpec(creation);
  console.handedOver();
  hooks.serve(() => runCreateHooks(creation, running.initPid() ?? 0));
  agent.serve(async () => tellAgent(creation, (await running.born) ?? 0));
  const outcome = await running.exited;
  hooks.close();
  agent.close();
  if (outcome.code !== 0 || outcome.initPid === null) {
    console.close();
    const hookError = hooks.error() ?? agent.error();
    const message =
      hookError === null
        ? createFailed(outcome.failure, subjectOf(spec))
        : `runc create failed: unable to start container process: error during container init: ${messageOf(hookError)}`;
    throw await undoCreate(
      creation,
      cgroupPaths,
      outcome.failure?.step.purpose === 'init' ? oomOr(cgroupPaths, message) : message,
    );
  }
  return parked(creation, outcome.initPid, { running, console, specKept });
};

/** Whether it went well matters only to a create that did. */
const keepSpec = ({ root, id, spec }: Creation): Promise<void> => {
  const kept = new Promise<void>((resolve) => resolve(writeSpec(root, id, spec)));
  kept.catch(() => undefined);
  return kept;
};

/** init has its namespaces and mounts, and waits. */
const runCreateHooks = async (creation: Creation, pid: number): Promise<void> => {
  const { native, tracer, root, id, spec } = creation;
  const { ociVersion, bundle, rootfs, annotations } = newState(creation);
  const state: State = { ociVersion, id, status: 'creating', pid, bundle, annotations };
  const folder = stateFolder(root, id);
  const context = { native, tracer, spec, state, folder, rootfs, hostPid: pid };
  await runHooks('prestart', context);
  await runHooks('createRuntime', context);
  const inside = { ...state, pid: innermostPid(pid) };
  await runHooks('createContainer', { ...context, state: inside });
};

const tellAgent = (creation: Creation, pid: number): void => {
  const { native, id, spec } = creation;
  const { ociVersion, bundle, annotations } = newState(creation);
  const state: State = { ociVersion, id, status: 'creating', pid, bundle, annotations };
  const policy = spec.linux?.seccomp;
  if (policy) informAgent(native, policy, { pid, state });
};

const subjectOf = ({ process }: RuntimeSpec) => ({
  args: process?.args ?? [],
  cwd: process?.cwd ?? '/',
});

const compile = (creation: Creation): Plan => {
  const { spec, facts, id, bundle, root, stdio } = creation;
  const uid = spec.process?.user.uid ?? 0;
  const hasHome = (spec.process?.env ?? []).some((entry) => entry.startsWith('HOME='));
  const rootfs = isAbsolute(spec.root.path) ? spec.root.path : join(bundle, spec.root.path);
  try {
    return compileCreate({
      spec,
      facts,
      id,
      bundle,
      execFifo: execFifoPath(root, id),
      noPivot: creation.noPivot === true,
      keepSessionKeyring: creation.keepSessionKeyring === true,
      ownsStdio: ownedStdio(stdio),
      preservedFds: creation.preservedFds?.length ?? 0,
      imageModeOf: (path) => imageModeOf(rootfs, path),
      home: hasHome ? '' : homeOf(rootfs, uid),
    });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.kind, `runc create failed: ${error.message}`, { cause: error });
  }
};

interface Begun {
  readonly running: RunningPlan;
  readonly console: ConsoleChannel;
  readonly specKept: Promise<void>;
}

const parked = async (
  creation: Creation,
  pid: number,
  { running, console, specKept }: Begun,
): Promise<CreatedContainer> => {
  const { native, root, bundle, spec, span } = creation;
  let pidfd: number | null = null;
  let ptyMaster: number | null = null;
  try {
    pidfd = native.pidfdOpen(pid);
    ptyMaster = console.receive();
    const startTime = readProcess(pid)?.startTime ?? '';
    await specKept;
    writeState(root, { ...newState(creation), pid, startTime });
    span.event(
      'init is parked on exec.fifo',
      { 'process.pid': pid, ...namespaceAttributes(pid) },
      { level: 'detail', source: __SOURCE__ },
    );
    return { pid, pidfd, startTime, ptyMaster, execed: execed(running, spec) };
  } catch (error) {
    running.stop();
    if (ptyMaster !== null) native.close(ptyMaster);
    if (pidfd !== null) {
      native.pidfdSendSignal(pidfd, 9);
      native.close(pidfd);
    }
    const message = `runc create failed: ${messageOf(error)} (${bundle})`;
    throw await undoCreate(creation, cgroupPathsOf(creation), message);
  } finally {
    console.close();
  }
};

const execed = (running: RunningPlan, spec: RuntimeSpec): Promise<void> => {
  const promise = running.ended.then((failure) => {
    if (failure) throw new EngineError('unknown', executeFailed(failure, subjectOf(spec)));
  });
  promise.catch(() => undefined);
  return promise;
};
