/**
 * The hooks around the start of the container's program. When one fails, the container is ended.
 * OCI runtime.md#lifecycle. Upstream: runc libcontainer/standard_init_linux.go, container_linux.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { State } from '../protocol/oci/state.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { execContainer } from './exec-container.ts';
import { type HookContext, hooksAt, runEach, runHooks } from './hooks.ts';
import { innermostPid } from './namespaces-of.ts';
import { type ContainerState, stateFolder } from './state-file.ts';
import { watchProcess } from './watch-process.ts';

export interface StartHooks {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly root: string;
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly container: ContainerState;
}

const contextOf = (o: StartHooks, state: Pick<State, 'status' | 'pid'>): HookContext => {
  const { native, tracer, root, id, spec, container } = o;
  const { ociVersion, bundle, annotations, rootfs, pid } = container;
  return {
    native,
    tracer,
    spec,
    state: { ociVersion, id, bundle, annotations, ...state },
    folder: stateFolder(root, id),
    rootfs,
    hostPid: pid,
  };
};

/**
 * The program of such a hook lies in the container, and an image is hostile: it gets the user, the capabilities and the
 * seccomp filter of the container's own process.
 */
export const runStartContainerHooks = async (o: StartHooks): Promise<void> => {
  const { native, tracer, root, id, spec, container } = o;
  if (hooksAt(spec, 'startContainer').length === 0) return;
  // A hook that runs is our child only as long as this process is a subreaper.
  native.setChildSubreaper();
  const context = contextOf(o, { status: 'created', pid: innermostPid(container.pid) });
  await endIfFailed(o, () =>
    runEach('startContainer', context, async (hook, stdio) => {
      const first = spec.process ?? { user: { uid: 0, gid: 0 }, cwd: '/' };
      const executed = await execContainer({
        native,
        tracer,
        root,
        id,
        process: {
          ...first,
          terminal: false,
          args: hook.args ?? [hook.path],
          env: hook.env ?? [],
        },
        executable: hook.path,
        stdio,
      });
      native.close(executed.pidfd);
      return watchProcess(native, executed.pid);
    }),
  );
};

export const runPoststartHooks = async (o: StartHooks): Promise<void> => {
  if (hooksAt(o.spec, 'poststart').length === 0) return;
  const context = contextOf(o, { status: 'running', pid: o.container.pid });
  await endIfFailed(o, () => runHooks('poststart', context));
};

const endIfFailed = async (
  { native, container }: StartHooks,
  work: () => Promise<void>,
): Promise<void> => {
  try {
    await work();
  } catch (error) {
    kill(native, container.pid);
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError('unknown', message, { cause: error });
  }
};

const kill = (native: Native, pid: number): void => {
  try {
    const pidfd = native.pidfdOpen(pid);
    native.pidfdSendSignal(pidfd, 9);
    native.close(pidfd);
  } catch {
    // It has gone by itself.
    return;
  }
};
