/** Tasks: each call becomes one to the task's shim. Upstream: containerd plugins/services/tasks. */
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import type { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { CallContext } from '../../transport/service.ts';
import { notFound } from '../errors.ts';
import { compileFilters } from '../filters/filter.ts';
import { requireNamespace, validateIdentifier } from '../identifier.ts';
import type { ContainerStore } from '../metadata/container-store.ts';
import type { SpareKeeper } from '../runtime/spare.ts';
import type { TaskManager } from '../runtime/task-manager.ts';
import type { Task } from '../runtime/task.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface TasksDependencies {
  readonly containers: ContainerStore;
  readonly tasks: TaskManager;
  readonly spares: SpareKeeper;
}

/** A shim that does not say how it is within this time is not waited for. */
const STATE_TIMEOUT_MS = 2000;
const EMPTY = {};

export const tasksService = ({
  containers,
  tasks,
  spares,
}: TasksDependencies): HandlersOf<typeof Tasks> => {
  /** A task is found by its container: both must be there. */
  const taskOf = (call: CallContext, containerId: string): Task => {
    const namespace = requireNamespace(call);
    containers.get(namespace, containerId);
    return tasks.get(namespace, containerId);
  };

  return {
    create: async (request, call) => {
      const namespace = requireNamespace(call);
      const container = containers.get(namespace, request.containerId);
      if (request.checkpoint)
        throw new EngineError('not_implemented', 'restoring a checkpoint: not implemented');
      const options = request.options ?? container.runtime?.options;
      const config = container.spec?.value ?? new Uint8Array();
      spares.touch();
      spares.expectSuchAs(config);
      const pid = await tasks.create({
        namespace,
        id: container.id,
        runtime: request.runtimePath === '' ? (container.runtime?.name ?? '') : request.runtimePath,
        config,
        options,
        rootfs: request.rootfs.map(({ type, source, target, options: mountOptions }) => ({
          type,
          source,
          target,
          options: mountOptions,
        })),
        stdio: {
          stdin: request.stdin,
          stdout: request.stdout,
          stderr: request.stderr,
          terminal: request.terminal,
        },
        checkpoint: '',
      });
      return { containerId: container.id, pid };
    },

    start: async ({ containerId, execId }, call) => {
      const { client } = taskOf(call, containerId);
      const { pid } = await client.calls.start({ id: containerId, execId }, { source: __SOURCE__ });
      // The container runs: now there is time for the next spare.
      spares.touch();
      return { pid };
    },

    delete: async ({ containerId }, call) => {
      const { bundle } = taskOf(call, containerId);
      spares.touch();
      return tasks.delete(bundle.namespace, containerId);
    },

    deleteProcess: async ({ containerId, execId }, call) => {
      const { client } = taskOf(call, containerId);
      const { pid, exitStatus, exitedAt } = await client.calls.delete(
        { id: containerId, execId },
        { source: __SOURCE__ },
      );
      return { id: execId, pid, exitStatus, ...(exitedAt ? { exitedAt } : {}) };
    },

    get: async ({ containerId, execId }, call) => {
      await tasks.buried(requireNamespace(call), containerId);
      return { process: await stateOf(taskOf(call, containerId), execId) };
    },

    list: async (_, call) => {
      const states = await Promise.all(
        tasks.list(requireNamespace(call)).map((task) =>
          stateOf(task, '').catch((error: unknown) => {
            // Deleted while we asked.
            if (kindOf(error) !== 'not_found' && kindOf(error) !== 'unavailable') throw error;
            return undefined;
          }),
        ),
      );
      return { tasks: states.filter((state) => state !== undefined) };
    },

    kill: async ({ containerId, execId, signal, all }, call) => {
      await taskOf(call, containerId).client.calls.kill(
        { id: containerId, execId, signal, all },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    exec: async ({ containerId, execId, stdin, stdout, stderr, terminal, spec }, call) => {
      if (execId === '') throw new EngineError('invalid_argument', 'exec id cannot be empty');
      validateIdentifier(execId);
      await taskOf(call, containerId).client.calls.exec(
        { id: containerId, execId, stdin, stdout, stderr, terminal, ...(spec ? { spec } : {}) },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    resizePty: async ({ containerId, execId, width, height }, call) => {
      await taskOf(call, containerId).client.calls.resizePty(
        { id: containerId, execId, width, height },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    closeIO: async ({ containerId, execId, stdin }, call) => {
      const { client } = taskOf(call, containerId);
      if (stdin)
        await client.calls.closeIO({ id: containerId, execId, stdin }, { source: __SOURCE__ });
      return EMPTY;
    },

    pause: async ({ containerId }, call) => {
      await taskOf(call, containerId).client.calls.pause(
        { id: containerId },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    resume: async ({ containerId }, call) => {
      await taskOf(call, containerId).client.calls.resume(
        { id: containerId },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    listPids: async ({ containerId }, call) => {
      const { processes } = await taskOf(call, containerId).client.calls.pids(
        { id: containerId },
        { source: __SOURCE__ },
      );
      return { processes };
    },

    update: async ({ containerId, resources, annotations }, call) => {
      await taskOf(call, containerId).client.calls.update(
        { id: containerId, annotations, ...(resources ? { resources } : {}) },
        { source: __SOURCE__ },
      );
      return EMPTY;
    },

    metrics: async ({ filters }, call) => {
      const namespace = requireNamespace(call);
      const matches = compileFilters(filters);
      const wanted = tasks
        .list(namespace)
        .filter(({ bundle }) =>
          matches(([field]) =>
            field === 'id' ? bundle.id : field === 'namespace' ? namespace : undefined,
          ),
        );
      const metrics = await Promise.all(wanted.map((task) => metricOf(task)));
      return { metrics: metrics.filter((metric) => metric !== undefined) };
    },

    wait: async ({ containerId, execId }, call) => {
      const { client } = taskOf(call, containerId);
      // The one call that may last for ever: it ends with its caller.
      const { exitStatus, exitedAt } = await client.calls.wait(
        { id: containerId, execId },
        { signal: call.signal, source: __SOURCE__ },
      );
      return { exitStatus, ...(exitedAt ? { exitedAt } : {}) };
    },
  };
};

const stateOf = async ({ client, bundle }: Task, execId: string) => {
  const state = await client.calls.state(
    { id: bundle.id, execId },
    { timeoutMs: STATE_TIMEOUT_MS, source: __SOURCE__ },
  );
  const { pid, status, stdin, stdout, stderr, terminal, exitStatus, exitedAt } = state;
  return {
    containerId: bundle.id,
    id: execId === '' ? bundle.id : execId,
    pid,
    status,
    stdin,
    stdout,
    stderr,
    terminal,
    exitStatus,
    ...(exitedAt ? { exitedAt } : {}),
  };
};

/** Undefined for a task that has nothing to measure any more. */
const metricOf = async ({ client, bundle }: Task) => {
  try {
    const { stats } = await client.calls.stats({ id: bundle.id }, { source: __SOURCE__ });
    if (!stats) throw notFound(`metrics of ${bundle.id}`);
    return { timestamp: timestampNow(), id: bundle.id, data: stats };
  } catch (error) {
    if (kindOf(error) === 'not_found' || kindOf(error) === 'unavailable') return undefined;
    throw error;
  }
};
