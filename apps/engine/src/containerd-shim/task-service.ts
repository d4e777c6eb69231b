/**
 * The Task API, for the one container of this shim. Versions 2 and 3 are the same methods.
 * Upstream: containerd cmd/containerd-shim-runc-v2/task/service.go.
 */
import { constants } from 'node:os';
import { EngineError } from '../protocol/errdefs.ts';
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExitSchema,
  TaskOOMSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from '../protocol/gen/containerd/task-events_pb.ts';
import type { CreateTaskRequest, Task } from '../protocol/gen/task/shim_pb.ts';
import { withContext } from '../tracing/context.ts';
import type { Handlers } from '../transport/service.ts';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import { Container, type ContainerParts } from './container.ts';
import { readMetrics } from './container-metrics.ts';
import { updateLimits } from './container-update.ts';
import type { Exit } from './init-process.ts';
import type { Publisher } from './publisher.ts';

export type TaskHandlers = typeof Task extends GenService<infer M> ? Required<Handlers<M>> : never;

export interface TaskServiceOptions extends ContainerParts {
  readonly publisher: Publisher;
  /** containerd has sent the shim away, and nothing is left to look after. */
  readonly onShutdown: () => void;
}

const VERSION = 'engine-room';
const HIGHEST_SIGNAL = 64;
/** How long a deletion waits for output that a slow client has not taken: it may have died. */
const DRAIN_MS = 2000;

export class TaskService {
  readonly handlers: TaskHandlers;
  readonly #options: TaskServiceOptions;
  #container: Container | undefined;
  #isCreating = false;
  /** While runc starts the process: its exit is told after its start, whichever came first. */
  #starting: Promise<void> | undefined;

  constructor(options: TaskServiceOptions) {
    this.#options = options;
    this.handlers = {
      create: (request) => this.#create(request),
      start: ({ execId }) => this.#start(execId),
      state: async ({ execId }) => this.#state(execId),
      delete: ({ execId }) => this.#delete(execId),
      pids: async () => ({
        processes: this.#get()
          .init.cgroup.pids()
          .map((pid) => ({ pid })),
      }),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      kill: async ({ execId, signal, all }) => this.#kill(execId, signal, all),
      wait: ({ execId }) => this.#wait(execId),
      closeIO: async ({ execId, stdin }) => {
        const { init } = this.#get(execId);
        if (stdin) init.closeStdin();
        return {};
      },
      resizePty: async ({ execId, width, height }) => {
        if (width > 0xffff || height > 0xffff)
          throw new EngineError('invalid_argument', `terminal size ${width}x${height}`);
        this.#get(execId).init.resize(height, width);
        return {};
      },
      stats: async () => ({ stats: readMetrics(this.#get().init.cgroup) }),
      connect: async () => ({
        shimPid: process.pid,
        taskPid: this.#container?.init.pid ?? 0,
        version: VERSION,
      }),
      shutdown: async () => {
        if (!this.#container && !this.#isCreating) this.#options.onShutdown();
        return {};
      },
      exec: () => notYet('exec: processes beside the first one'),
      update: async ({ resources }) => {
        if (!resources) throw new EngineError('invalid_argument', 'update without resources');
        updateLimits(this.#get().init.cgroup, options.runc.prepare(), resources.value);
        return {};
      },
      checkpoint: () => notYet('checkpoint: saving a container'),
    };
  }

  /** Whether there is something that must not be left alone. */
  get isBusy(): boolean {
    return this.#container !== undefined || this.#isCreating;
  }

  async #create(request: CreateTaskRequest): Promise<{ pid: number }> {
    const { identity, publisher } = this.#options;
    const { id, bundle, rootfs, terminal, stdin, stdout, stderr, checkpoint } = request;
    if (id !== identity.id)
      throw new EngineError('invalid_argument', `this is the shim of ${identity.id}, not of ${id}`);
    if (this.isBusy) throw new EngineError('already_exists', `container ${id}`);
    if (!bundle.startsWith('/'))
      throw new EngineError(
        'invalid_argument',
        `bundle ${JSON.stringify(bundle)} is no absolute path`,
      );
    if (checkpoint) await notYet('create from a checkpoint');
    this.#isCreating = true;
    try {
      const container = await Container.create(
        this.#options,
        request,
        (...exited) => void this.#exited(...exited),
      );
      this.#container = container;
      const { pid } = container.init;
      const io = { stdin, stdout, stderr, terminal };
      publisher.publish('/tasks/create', TaskCreateSchema, {
        containerId: id,
        bundle,
        rootfs,
        io,
        checkpoint,
        pid,
      });
      return { pid };
    } finally {
      this.#isCreating = false;
    }
  }

  async #start(execId: string): Promise<{ pid: number }> {
    const container = this.#get(execId);
    if (this.#starting)
      throw new EngineError('failed_precondition', 'the process is being started');
    const { pid } = container.init;
    const starting = container.start().then(() => {
      this.#options.publisher.publish('/tasks/start', TaskStartSchema, {
        containerId: container.id,
        pid,
      });
    });
    // A failure is this call's; whoever waits for the order of events only needs to know that it is over.
    this.#starting = starting.catch(() => undefined);
    try {
      await starting;
      return { pid };
    } finally {
      this.#starting = undefined;
    }
  }

  async #exited(container: Container, exit: Exit): Promise<void> {
    const { publisher } = this.#options;
    const { init, story, id } = container;
    // Asked now: the counter goes with the cgroup.
    const wasOutOfMemory = init.cgroup.oomKills() > 0;
    story.exited(init.pid, exit);
    await this.#starting;
    withContext(story.context, () => {
      if (wasOutOfMemory)
        publisher.publish('/tasks/oom', TaskOOMSchema, { containerId: id }, 'step');
      const { code: exitStatus, at: exitedAt } = exit;
      publisher.publish('/tasks/exit', TaskExitSchema, {
        containerId: id,
        id,
        pid: init.pid,
        exitStatus,
        exitedAt,
      });
    });
  }

  #state(execId: string) {
    const { init, id } = this.#get(execId);
    const { stdin, stdout, stderr, terminal } = init.paths;
    const exit = init.exit ? { exitStatus: init.exit.code, exitedAt: init.exit.at } : {};
    return {
      id,
      bundle: init.bundle,
      pid: init.pid,
      status: init.status,
      stdin,
      stdout,
      stderr,
      terminal,
      ...exit,
    };
  }

  async #delete(execId: string) {
    const container = this.#get(execId);
    const { init, id } = container;
    init.check('delete');
    await Promise.race([
      init.drained(),
      new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref()),
    ]);
    const { code: exitStatus, at: exitedAt } = await container.delete();
    this.#container = undefined;
    const { pid } = init;
    this.#options.publisher.publish('/tasks/delete', TaskDeleteSchema, {
      containerId: id,
      pid,
      exitStatus,
      exitedAt,
    });
    return { pid, exitStatus, exitedAt };
  }

  async #pause(): Promise<Record<never, never>> {
    const { init, id } = this.#get();
    await init.pause();
    this.#options.publisher.publish('/tasks/paused', TaskPausedSchema, { containerId: id });
    return {};
  }

  async #resume(): Promise<Record<never, never>> {
    const { init, id } = this.#get();
    await init.resume();
    this.#options.publisher.publish('/tasks/resumed', TaskResumedSchema, { containerId: id });
    return {};
  }

  #kill(execId: string, signal: number, all: boolean): Record<never, never> {
    const { init, story } = this.#get(execId);
    if (signal > HIGHEST_SIGNAL)
      throw new EngineError('invalid_argument', `unknown signal ${signal}`);
    if (!init.exit) story.signalled(init.pid, signal);
    init.kill(signal, all);
    // A frozen process takes no signal before it is thawed, not even this one.
    if (signal === constants.signals.SIGKILL && init.state === 'paused')
      void init.resume().catch(() => undefined);
    return {};
  }

  async #wait(execId: string) {
    const { code: exitStatus, at: exitedAt } = await this.#get(execId).init.exited;
    return { exitStatus, exitedAt };
  }

  #get(execId = ''): Container {
    if (!this.#container) throw new EngineError('not_found', 'container not created');
    if (execId !== '') throw new EngineError('not_found', `process ${execId}`);
    return this.#container;
  }
}

const notYet = (what: string): Promise<never> =>
  Promise.reject(new EngineError('not_implemented', `${what} is not supported by this shim`));
