/**
 * Hooks: programs that config.json has runc call at six points of a container's life, with its state on standard input.
 *
 *   prestart, createRuntime    outside, when init has its namespaces and mounts     `create`
 *   createContainer            inside, before pivot_root                           `create`
 *   startContainer             inside, as the container's own user                 `start`, before the program
 *   poststart                  outside                                             `start`, after it
 *   poststop                   outside                                             `delete`
 *
 * OCI config.md#posix-platform-hooks, runtime.md#lifecycle. Upstream: runc libcontainer/configs/config.go.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { Hook, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { State } from '../protocol/oci/state.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { compileHook } from './compile-hook.ts';
import { nativeArchitecture } from './host-facts.ts';
import { namespacesToEnter } from './namespaces-of.ts';
import { errnoSentence } from './plan/errno.ts';
import type { Failure } from './plan-trace.ts';
import { runPlan } from './run-plan.ts';
import { type RunningProcess, watchProcess } from './watch-process.ts';

type HookPoint =
  'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop';

export const hooksAt = ({ hooks }: RuntimeSpec, point: HookPoint): readonly Hook[] =>
  hooks?.[point] ?? [];

export const hasHooks = ({ hooks }: RuntimeSpec): boolean => hooks !== undefined;

/** Those that `create` must stop for, in the middle of furnishing the container. */
export const hasCreateHooks = (spec: RuntimeSpec): boolean =>
  (['prestart', 'createRuntime', 'createContainer'] as const).some(
    (point) => hooksAt(spec, point).length > 0,
  );

export interface HookContext {
  readonly native: Native;
  readonly tracer: Tracer;
  /** Its hooks, as they were when the container was created. */
  readonly spec: RuntimeSpec;
  readonly state: State;
  /** A folder of runc's own: what a hook reads and says lies there, without a name. */
  readonly folder: string;
  /** Absolute host path of the root filesystem. */
  readonly rootfs: string;
  /** The container's init as we see it; `state.pid` is as the hook sees it. */
  readonly hostPid: number;
}

/** Rejects when the program could not be started. */
export type StartHook = (
  hook: Hook,
  stdio: readonly [number, number, number],
  span: Span,
) => Promise<RunningProcess>;

/** One after the other; the first that fails ends it. */
export const runHooks = async (point: HookPoint, context: HookContext): Promise<void> => {
  const start = point === 'createContainer' ? startInside : startOutside;
  await runEach(point, context, (hook, stdio, span) =>
    start({ point, hook, stdio, span }, context),
  );
};

export const runEach = async (
  point: HookPoint,
  { tracer, spec, state, folder }: HookContext,
  start: StartHook,
): Promise<void> => {
  for (const [index, hook] of hooksAt(spec, point).entries()) {
    const attributes = { 'container.id': state.id, 'process.executable.path': hook.path };
    await tracer.span(`runc hook ${point}`, { source: __SOURCE__, attributes }, async (span) => {
      try {
        await runOne({ hook, state: JSON.stringify(state), folder, span }, start);
      } catch (error) {
        const message = `error running hook #${index}: ${messageOf(error)}`;
        throw new EngineError('unknown', message, { cause: error });
      }
    });
  }
};

const runOne = async (
  {
    hook,
    state,
    folder,
    span,
  }: { readonly hook: Hook; readonly state: string; readonly folder: string; readonly span: Span },
  start: StartHook,
): Promise<void> => {
  const files = ['in', 'out', 'err'].map((name) =>
    unnamedFile(join(folder, `hook-${process.pid}.${name}`)),
  );
  const [input = -1, out = -1, err = -1] = files;
  let timer: NodeJS.Timeout | undefined;
  try {
    // At a place, so that the hook reads from the beginning.
    writeSync(input, state, 0);
    const running = await start(hook, [input, out, err], span);
    const limit = hook.timeout ?? null;
    let isLate = false;
    if (limit !== null) {
      timer = setTimeout(() => {
        isLate = true;
        running.kill();
      }, limit * 1000);
    }
    const { code, signal } = await running.exited;
    if (isLate) throw new Error(`hook ran past specified timeout of ${limit?.toFixed(1)}s`);
    if (code === 0) return;
    const ending = signal === 0 ? `exit status ${code}` : `signal: ${signalName(signal)}`;
    throw new Error(
      `error running hook: ${ending}, stdout: ${contentOf(out)}, stderr: ${contentOf(err)}`,
    );
  } finally {
    clearTimeout(timer);
    for (const fd of files) closeSync(fd);
  }
};

/** In Go's words. signal(7) */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'hangup',
  2: 'interrupt',
  3: 'quit',
  4: 'illegal instruction',
  6: 'aborted',
  7: 'bus error',
  8: 'floating point exception',
  9: 'killed',
  11: 'segmentation fault',
  13: 'broken pipe',
  14: 'alarm clock',
  15: 'terminated',
  31: 'bad system call',
};
const signalName = (signal: number): string => SIGNALS[signal] ?? `signal ${signal}`;

/** A pipe would have to be read while the hook runs, and for as long as a child of its keeps it open. */
const unnamedFile = (path: string): number => {
  const fd = openSync(path, 'w+', 0o600);
  unlinkSync(path);
  return fd;
};

const MOST_BYTES = 4096;

const contentOf = (fd: number): string => {
  const bytes = new Uint8Array(MOST_BYTES);
  return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, MOST_BYTES, 0)));
};

const notStarted = (hook: Hook, failure: Failure | null): Error =>
  new Error(`fork/exec ${hook.path}: ${errnoSentence(failure?.record.errno ?? 0)}`);

interface Start {
  readonly point: HookPoint;
  readonly hook: Hook;
  readonly stdio: readonly [number, number, number];
  readonly span: Span;
}

/** The helper becomes the hook. */
const startOutside = async (
  { point, hook, stdio, span }: Start,
  { native, tracer, state }: HookContext,
): Promise<RunningProcess> => {
  const running = runPlan({
    native,
    tracer,
    plan: compileHook({ architecture: nativeArchitecture(), hook, container: null }),
    argv: ['runc', 'hook', point],
    stdio,
    cwd: state.bundle,
    span,
    containerId: state.id,
  });
  const exited = running.exited.then(({ code, signal, failure }) => {
    if (failure) throw notStarted(hook, failure);
    return { code, signal };
  });
  return { exited, kill: () => running.kill() };
};

/** A child of the helper goes into the container, where the host's tree is still to be seen, and becomes the hook. */
const startInside = async (
  { point, hook, stdio, span }: Start,
  { native, tracer, state, rootfs, hostPid }: HookContext,
): Promise<RunningProcess> => {
  // The child of the helper becomes ours only as long as this process is a subreaper.
  native.setChildSubreaper();
  const container = native.pidfdOpen(hostPid);
  try {
    const running = runPlan({
      native,
      tracer,
      plan: compileHook({
        architecture: nativeArchitecture(),
        hook,
        container: { namespaces: namespacesToEnter(hostPid), workingDirectory: rootfs },
      }),
      argv: ['runc', 'hook', point],
      stdio,
      cwd: state.bundle,
      extraFds: [container],
      span,
      containerId: state.id,
      programArgv: hook.args ?? [hook.path],
    });
    const { initPid } = await running.exited;
    const failure = await running.ended;
    if (failure || initPid === null) throw notStarted(hook, failure);
    return watchProcess(native, initPid);
  } finally {
    native.close(container);
  }
};
