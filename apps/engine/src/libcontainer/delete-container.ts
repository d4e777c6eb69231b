/**
 * `runc delete`: removes the cgroups and the state of a stopped container.
 * Upstream: runc delete.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError, kindOf, messageOf } from '../protocol/errdefs.ts';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { setFrozen } from './cgroups/freezer.ts';
import { runHooks } from './hooks.ts';
import { nativeArchitecture } from './host-facts.ts';
import { withNullStdio } from './null-stdio.ts';
import type { Plan } from './plan/step.ts';
import { cgroupFoldersBelow, kill, pidsIn, removeCgroups } from './remove-cgroups.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';
import { type ContainerState, readSpec, readState, removeStateFolder } from './state-file.ts';

export interface DeleteOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
  /** Kill what still runs in the container first, and do not mind when the container is not there. */
  readonly force?: boolean;
  /** What went wrong without keeping the container from being deleted. */
  readonly onWarning?: (message: string) => void;
}

/** Rejects with `not_found` (no such container) or `failed_precondition` (still running, no `force`). */
export const deleteContainer = async (options: DeleteOptions): Promise<void> => {
  const { native, tracer, root, id, force = false } = options;
  const words = { source: __SOURCE__, attributes: { 'container.id': id } } as const;
  await tracer.span('runc delete', words, async (span) => {
    const state = await stateOrNull(options);
    if (!state) {
      // A create that was interrupted leaves a folder without a state.
      removeStateFolder(root, id);
      return;
    }
    if (state.status !== 'stopped') {
      // One that never ran has nothing to lose.
      if (!force && state.status !== 'created') {
        throw new EngineError(
          'failed_precondition',
          `cannot delete container ${id} that is not stopped: ${state.status}`,
        );
      }
      await killEverything(native, state);
    }
    const run = (plan: Plan): Promise<PlanOutcome> =>
      withNullStdio(
        (stdio) =>
          runPlan({
            native,
            tracer,
            plan,
            argv: ['runc', 'delete', id],
            stdio,
            cwd: '/',
            span,
            containerId: id,
          }).exited,
      );
    await removeCgroups(Object.values(state.cgroupPaths), nativeArchitecture(), run);
    const spec = state.hasHooks ? readSpec(root, id) : null;
    removeStateFolder(root, id);
    if (spec) await runPoststopHooks(options, state, spec, span);
  });
};

/** Nothing depends on them any more: what goes wrong is told, and the container is gone all the same. */
const runPoststopHooks = async (
  { native, tracer, root, onWarning }: DeleteOptions,
  { ociVersion, id, bundle, annotations, rootfs, pid }: ContainerState,
  spec: RuntimeSpec,
  span: Span,
): Promise<void> => {
  const state = { ociVersion, id, status: 'stopped', bundle, annotations } as const;
  try {
    await runHooks('poststop', { native, tracer, spec, state, folder: root, rootfs, hostPid: pid });
  } catch (error) {
    span.event(messageOf(error), {}, { source: __SOURCE__ });
    onWarning?.(messageOf(error));
  }
};

const stateOrNull = async ({ root, id, force }: DeleteOptions): Promise<ContainerState | null> => {
  try {
    return readState(root, id);
  } catch (error) {
    if (force && kindOf(error) === 'not_found') return null;
    throw error;
  }
};

/** init's death takes everything in its pid namespace along; what has none is found by cgroup. */
const killEverything = async (native: Native, state: ContainerState): Promise<void> => {
  const pidfd = native.pidfdOpen(state.pid);
  const dead = new Promise<void>((resolve) => {
    const stop = native.watchReadable(pidfd, () => {
      stop();
      native.close(pidfd);
      resolve();
    });
  });
  native.pidfdSendSignal(pidfd, 9);
  for (const pid of pidsIn(Object.values(state.cgroupPaths).flatMap(cgroupFoldersBelow))) kill(pid);
  // On version 1 a frozen process dies only when it is thawed.
  if (state.status === 'paused') await setFrozen(state.cgroupPaths, false);
  await dead;
};
