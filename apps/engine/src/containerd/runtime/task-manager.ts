/**
 * Tasks: what runs. Makes them with a shim each, keeps the line to their shims, and buries what a dead shim leaves.
 * Upstream: containerd core/runtime/v2/task_manager.go, shim.go.
 */
import type { Any, Timestamp } from '@bufbuild/protobuf/wkt';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import { currentContext, withContext } from '../../tracing/context.ts';
import { passGate } from '../../tracing/gate.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { alreadyExists } from '../errors.ts';
import { Farewells } from '../farewells.ts';
import type { Log } from '../log.ts';
import { subjectOf } from '../events/teller.ts';
import { containerIn, tellForeignEvent, tellForeignShimGone } from './foreign-shim-trace.ts';
import { Burials } from './burials.ts';
import { Bundle, type BundleFolders } from './bundle.ts';
import type { Exits } from './exits.ts';
import type { Unmounter } from './mounts.ts';
import { shutDown } from './shim-shutdown.ts';
import type { ShimStarter } from './shim-starter.ts';
import type { SpareKeeper } from './spare.ts';
import { keyOf, taskKey, type Task } from './task.ts';

export interface TaskManagerOptions {
  readonly folders: BundleFolders;
  readonly shims: ShimStarter;
  readonly spares: SpareKeeper;
  readonly exits: Exits;
  readonly unmounter: Unmounter;
  readonly tracer: Tracer;
  readonly log: Log;
}

export interface CreateTask {
  readonly namespace: string;
  readonly id: string;
  readonly runtime: string;
  /** config.json, as it stands in the container's record. */
  readonly config: Uint8Array;
  readonly options: Any | undefined;
  readonly rootfs: readonly { type: string; source: string; target: string; options: string[] }[];
  readonly stdio: {
    readonly stdin: string;
    readonly stdout: string;
    readonly stderr: string;
    readonly terminal: boolean;
  };
  readonly checkpoint: string;
}

export interface TaskExit {
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}

const CLEANUP_TIMEOUT_MS = 5000;

export class TaskManager {
  readonly #options: TaskManagerOptions;
  readonly #tasks = new Map<string, Task>();
  /** Names that are being made or unmade. */
  readonly #busy = new Set<string>();
  readonly #burials: Burials;
  readonly #farewells = new Farewells();

  constructor(options: TaskManagerOptions) {
    this.#options = options;
    this.#burials = new Burials(options, (task) => this.#tasks.delete(keyOf(task)));
  }

  has(namespace: string, id: string): boolean {
    const key = taskKey(namespace, id);
    return this.#tasks.has(key) || this.#busy.has(key);
  }

  get(namespace: string, id: string): Task {
    const task = this.#tasks.get(taskKey(namespace, id));
    if (!task) throw new EngineError('not_found', `task ${id} not found`);
    return task;
  }

  list(namespace: string): Task[] {
    return [...this.#tasks.values()].filter(({ bundle }) => bundle.namespace === namespace);
  }

  /** Answers the pid of the container's init, which waits to be started. */
  async create(request: CreateTask): Promise<number> {
    const { namespace, id } = request;
    const key = taskKey(namespace, id);
    await this.#farewells.hurry(key);
    if (this.has(namespace, id)) throw alreadyExists(`task ${id}`);
    this.#busy.add(key);
    try {
      const bundle = await this.#makeBundle(request);
      const task = await this.#startShim(bundle, request);
      await passGate(this.#options.tracer, {
        gate: 'shim-listening',
        subjectPid: async () => (await task.client.calls.connect({ id })).shimPid,
        source: __SOURCE__,
      });
      return await this.#createInShim(task, request);
    } finally {
      this.#busy.delete(key);
    }
  }

  /** Takes a task over that an earlier containerd made. */
  adopt(task: Task): void {
    this.#tasks.set(keyOf(task), task);
    if (!task.context) return;
    this.#options.tracer.emit({
      type: 'spanEvent',
      ...task.context,
      cause: processId(process.pid, 'exec'),
      level: 'step',
      name: 'reconnected to shim',
      attributes: { 'container.id': task.bundle.id },
      source: __SOURCE__,
    });
  }

  /**
   * Removes a stopped task, and its shim with it. The shim leaves afterwards: upstream waits for it, but whoever asked
   * wants the exit code. What upstream's shim has told by then, ours has too: the end of the task.
   */
  async delete(namespace: string, id: string): Promise<TaskExit> {
    const task = this.get(namespace, id);
    const key = keyOf(task);
    const end = this.#options.exits.end(namespace, id);
    // Asked while it can answer. Ours tells its end itself.
    const shim = task.binary.isOurs
      ? null
      : await task.client.calls.connect({ id }).catch(() => null);
    const { pid, exitStatus, exitedAt } = await task.client.calls.delete(
      { id },
      { source: __SOURCE__ },
    );
    // From here on a disconnection is no death. Of two that delete it at once, one says farewell.
    if (this.#tasks.get(key) === task) {
      this.#tasks.delete(key);
      this.#farewells.begin(key, () => this.#sayFarewell(task, shim?.shimPid));
    }
    await end;
    return { pid, exitStatus, exitedAt };
  }

  /** An event of a shim. When it carries no trace of its own, it belongs to the trace of its task. */
  forward(envelope: Envelope): void {
    const { containerId } = subjectOf(envelope);
    const context =
      currentContext() ?? this.#tasks.get(taskKey(envelope.namespace, containerId))?.context;
    const { tracer, exits } = this.#options;
    const task = this.#tasks.get(taskKey(envelope.namespace, containerIn(envelope) ?? ''));
    // What has happened comes before what is made of it.
    if (task && !task.binary.isOurs) tellForeignEvent(tracer, task, envelope);
    withContext(context, () => exits.forward(envelope));
  }

  /** The line to a shim broke: unless its task was deleted, the shim is dead and its container with it. */
  lost(namespace: string, id: string): void {
    const task = this.#tasks.get(taskKey(namespace, id));
    if (task) void this.bury(task); // Awaited by `settled`.
  }

  /** Cleans up after a dead shim, and tells of the exit that the shim could not tell. */
  bury(task: Task): Promise<void> {
    return this.#burials.bury(task);
  }

  /** Resolves when the task is not being cleaned up after its shim: then it is there, or it is gone. */
  buried(namespace: string, id: string): Promise<void> {
    return this.#burials.of(namespace, id);
  }

  /** Sends a shim away that has no task: containerd died in the middle of a create. */
  async dismiss(task: Task): Promise<void> {
    this.#tasks.delete(keyOf(task));
    await shutDown(task, true, this.#options.log);
    task.bundle.delete(this.#options.unmounter);
  }

  /** Resolves when nothing is being cleaned up. */
  async settled(): Promise<void> {
    await Promise.all([this.#burials.settled(), this.#farewells.settled()]);
  }

  /** Hangs up on all shims; they live on. */
  close(): void {
    for (const { client, stopLog } of this.#tasks.values()) {
      client.close();
      stopLog();
    }
    this.#tasks.clear();
  }

  /** Never rejects. `foreignPid`: of a shim that does not tell its end itself. */
  async #sayFarewell(task: Task, foreignPid: number | undefined): Promise<void> {
    const { tracer, log, unmounter, exits } = this.#options;
    const { namespace, id } = task.bundle;
    const hasGone = await shutDown(task, false, log);
    if (foreignPid !== undefined && hasGone) tellForeignShimGone(tracer, task, foreignPid);
    try {
      task.bundle.delete(unmounter);
    } catch (error) {
      log.error('failed to delete bundle', { id, namespace, error: messageOf(error) });
    }
    exits.forget(namespace, id);
  }

  #makeBundle({ namespace, id, config }: CreateTask): Promise<Bundle> {
    const { folders, tracer } = this.#options;
    return tracer.span('bundle create', { source: __SOURCE__ }, (span) => {
      const bundle = Bundle.create(folders, { namespace, id, config });
      span.event(
        'bundle created',
        { 'engineroom.bundle': bundle.path, 'container.id': id },
        { level: 'step', source: __SOURCE__ },
      );
      return bundle;
    });
  }

  async #startShim(bundle: Bundle, { namespace, id, runtime, options }: CreateTask): Promise<Task> {
    const { shims, unmounter } = this.#options;
    try {
      const context = currentContext();
      bundle.writeContext(context);
      const onDisconnect = () => this.lost(namespace, id);
      return await shims.start(bundle, { runtime, options, onDisconnect }, context);
    } catch (error) {
      bundle.delete(unmounter);
      throw error;
    }
  }

  async #createInShim(
    task: Task,
    { id, rootfs, stdio, options, checkpoint }: CreateTask,
  ): Promise<number> {
    const { unmounter, exits, spares } = this.#options;
    // Known from now on: an exit may be told before `create` has answered.
    this.#tasks.set(keyOf(task), task);
    try {
      const { pid } = await task.client.calls.create(
        {
          id,
          bundle: task.bundle.path,
          rootfs: [...rootfs],
          ...stdio,
          checkpoint,
          ...(options ? { options } : {}),
        },
        { source: __SOURCE__ },
      );
      return pid;
    } catch (error) {
      this.#tasks.delete(keyOf(task));
      await task.client.calls
        .delete({ id }, { timeoutMs: CLEANUP_TIMEOUT_MS })
        .catch(() => undefined);
      await shutDown(task, true, this.#options.log);
      task.bundle.delete(unmounter);
      exits.forget(task.bundle.namespace, id);
      spares.touch();
      const kind = kindOf(error) === 'internal' ? 'unknown' : kindOf(error);
      throw new EngineError(kind, `failed to create shim task: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
