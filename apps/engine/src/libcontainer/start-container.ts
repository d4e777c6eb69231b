/**
 * `runc start`: opens exec.fifo for reading, which lets the parked init run the container's program.
 * Upstream: runc start.go, libcontainer/container_linux.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { compileStart } from './compile-start.ts';
import { nativeArchitecture } from './host-facts.ts';
import { withNullStdio } from './null-stdio.ts';
import { errnoSentence } from './plan/errno.ts';
import { runPlan } from './run-plan.ts';
import { runPoststartHooks, runStartContainerHooks } from './start-hooks.ts';
import { execFifoPath, readSpec, readState } from './state-file.ts';

export interface StartOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
}

/** Resolves when init has passed the fifo; `CreatedContainer.execed` tells of the execve that follows. */
export const startContainer = async ({ native, tracer, root, id }: StartOptions): Promise<void> => {
  const words = { source: __SOURCE__, attributes: { 'container.id': id } } as const;
  await tracer.span('runc start', words, async (span) => {
    const state = readState(root, id);
    if (state.status === 'running')
      throw new EngineError('failed_precondition', 'cannot start an already running container');
    if (state.status === 'stopped')
      throw new EngineError('failed_precondition', 'cannot start a container that has stopped');
    const plan = compileStart({
      architecture: nativeArchitecture(),
      execFifo: execFifoPath(root, id),
      pid: state.pid,
    });
    const hooks = state.hasHooks
      ? { native, tracer, root, id, spec: readSpec(root, id), container: state }
      : null;
    if (hooks) await runStartContainerHooks(hooks);
    const outcome = await withNullStdio(
      (stdio) =>
        runPlan({
          native,
          tracer,
          plan,
          argv: ['runc', 'start', id],
          stdio,
          cwd: '/',
          span,
          containerId: id,
        }).exited,
    );
    if (outcome.code === 0) {
      if (hooks) await runPoststartHooks(hooks);
      return;
    }
    const { failure } = outcome;
    const reason =
      failure?.step.name === 'read'
        ? 'container process is already dead'
        : errnoSentence(failure?.record.errno ?? 0);
    throw new EngineError('failed_precondition', `cannot start container ${id}: ${reason}`);
  });
};
