/**
 * The Task API, for the one container of this shim. Versions 2 and 3 are the same methods.
 * Upstream: containerd cmd/containerd-shim-runc-v2/task/service.go.
 */
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { EngineError } from '../protocol/errdefs.ts';
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExecAddedSchema,
  TaskExecStartedSchema,
  TaskPausedSchema,
  TaskResumedSchema,
  TaskStartSchema,
} from '../protocol/gen/containerd/task-events_pb.ts';
import type { CreateTaskRequest, ExecProcessRequest, Task } from '../protocol/gen/task/shim_pb.ts';
import type { Handlers } from '../transport/service.ts';
import { checkCreate, Container, type ContainerParts } from './container.ts';
import { readMetrics } from './container-metrics.ts';
import { processesOf } from './container-processes.ts';
import { resourcesIn } from './resources.ts';
import type { ExecProcess } from './exec-process.ts';
import { VERSION } from './identity.ts';
import type { InitProcess } from './init-process.ts';
import type { Publisher } from './publisher.ts';
import { TaskExits } from './task-exits.ts';

export type TaskHandlers = typeof Task extends GenService<infer M> ? Required<Handlers<M>> : never;

export interface TaskServiceOptions extends ContainerParts {
  readonly publisher: Publisher;
  /** containerd has sent the shim away, and nothing is left to look after. */
  readonly onShutdown: () => void;
}

const HIGHEST_SIGNAL = 64;
/** How long a deletion waits for output that a slow client has not taken: it may have died. */
const DRAIN_MS = 2000;

export class TaskService {
  readonly handlers: TaskHandlers;
  readonly #options: TaskServiceOptions;
  #container: Container | undefined;
  /** Resolves when the create that goes on is over, however it ends. */
  #creating: Promise<unknown> | undefined;
  readonly #exits: TaskExits;

  constructor(options: TaskServiceOptions) {
    this.#options = options;
    this.#exits = new TaskExits(options.publisher);
    this.handlers = {
      create: (request) => this.#create(request),
      start: ({ execId }) => this.#start(execId),
      state: ({ execId }) => this.#onceMade(() => this.#state(execId)),
      delete: ({ execId }) => this.#onceMade(() => this.#delete(execId)),
      pids: async () => ({ processes: processesOf(this.#get()) }),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      kill: ({ execId, signal, all }) => this.#onceMade(() => this.#kill(execId, signal, all)),
      wait: ({ execId }) => this.#wait(execId),
      closeIO: async ({ execId, stdin }) => {
        const process = this.#process(execId);
        if (stdin) process.closeStdin();
        return {};
      },
      resizePty: async ({ execId, width, height }) => {
        if (width > 0xffff || height > 0xffff)
          throw new EngineError('invalid_argument', `terminal size ${width}x${height}`);
        this.#process(execId).resize(height, width);
        return {};
      },
      stats: async () => ({ stats: readMetrics(this.#get().init.cgroup) }),
      connect: async () => ({
        shimPid: process.pid,
        taskPid: this.#container?.init.pid ?? 0,
        version: VERSION,
      }),
      shutdown: () =>
        this.#onceMade(() => {
          if (!this.isBusy) this.#options.onShutdown();
          return {};
        }),
      exec: async (request) => this.#exec(request),
      update: async ({ resources }) => {
        if (!resources) throw new EngineError('invalid_argument', 'update without resources');
        await this.#get().update(resourcesIn(resources.value));
        return {};
      },
      checkpoint: async () => {
        throw new EngineError('not_implemented', 'checkpoint is not supported by this shim');
      },
    };
  }

  /** Whether there is something that must not be left alone. */
  get isBusy(): boolean {
    return this.#container !== undefined || this.#creating !== undefined;
  }

  /** Also a containerd that came after the one that asked for the create is answered when it is known what came of it. */
  async #onceMade<T>(work: () => T): Promise<Awaited<T>> {
    await this.#creating;
    return await work();
  }

  async #create(request: CreateTaskRequest): Promise<{ pid: number }> {
    checkCreate(request, this.#options.identity);
    if (this.isBusy) throw new EngineError('already_exists', `container ${request.id}`);
    const making = this.#makeOrLeave(request);
    this.#creating = making.catch(() => undefined);
    try {
      return await making;
    } finally {
      this.#creating = undefined;
    }
  }

  async #makeOrLeave(request: CreateTaskRequest): Promise<{ pid: number }> {
    try {
      return await this.#make(request);
    } finally {
      await this.#leaveIfForgotten(request.bundle);
    }
  }

  /** A containerd that came after the caller may have given up on us, and buried us: nobody will ask again. */
  async #leaveIfForgotten(bundle: string): Promise<void> {
    if (existsSync(bundle)) return;
    if (this.#container) {
      const { init } = this.#container;
      if (!init.exit) init.kill(constants.signals.SIGKILL, true);
      await init.exited;
      await this.#container.delete();
      this.#container = undefined;
    }
    this.#options.onShutdown();
  }

  async #make(request: CreateTaskRequest): Promise<{ pid: number }> {
    const { id, bundle, rootfs, terminal, stdin, stdout, stderr, checkpoint } = request;
    const container = await Container.create(
      this.#options,
      request,
      (...exited) => void this.#exits.initExited(...exited),
    );
    this.#container = container;
    // Nothing can run before the next request, and this one is waited for.
    setImmediate(() => this.#exits.watchMemory(container, this.#options.native));
    const { pid } = container.init;
    const io = { stdin, stdout, stderr, terminal };
    this.#options.publisher.publish('/tasks/create', TaskCreateSchema, {
      containerId: id,
      bundle,
      rootfs,
      io,
      checkpoint,
      pid,
    });
    return { pid };
  }

  #exec(request: ExecProcessRequest): Record<never, never> {
    const container = this.#get();
    container.addExec(request, (...exited) => this.#exits.execExited(container, ...exited));
    const { execId } = request;
    this.#options.publisher.publish('/tasks/exec-added', TaskExecAddedSchema, {
      containerId: container.id,
      execId,
    });
    return {};
  }

  async #start(execId: string): Promise<{ pid: number }> {
    const container = this.#get();
    const process = this.#process(execId);
    if (execId !== '' && container.init.exit)
      throw new EngineError(
        'failed_precondition',
        `container ${container.id} init process is not running`,
      );
    await this.#exits.duringStart(execId, () => this.#run(container, execId));
    return { pid: process.pid };
  }

  async #run(container: Container, execId: string): Promise<void> {
    const { publisher } = this.#options;
    const { id: containerId } = container;
    const exec = container.execs.get(execId);
    if (exec) {
      await exec.start();
      const { pid } = exec;
      publisher.publish('/tasks/exec-started', TaskExecStartedSchema, { containerId, execId, pid });
    } else {
      await container.start();
      const { pid } = container.init;
      publisher.publish('/tasks/start', TaskStartSchema, { containerId, pid });
    }
  }

  #state(execId: string) {
    const { id, init } = this.#get();
    const { pid, status, exit, paths } = this.#process(execId);
    const { stdin, stdout, stderr, terminal } = paths;
    return {
      id: execId || id,
      execId,
      bundle: init.bundle,
      pid,
      status,
      stdin,
      stdout,
      stderr,
      terminal,
      ...(exit ? { exitStatus: exit.code, exitedAt: exit.at } : {}),
    };
  }

  async #delete(execId: string) {
    const container = this.#get();
    if (execId !== '') return this.#deleteExec(container, execId);
    const { init, id } = container;
    init.check('delete');
    await drainedOrLate(init);
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

  /** As upstream, no event tells of it. */
  async #deleteExec({ execs }: Container, execId: string) {
    const process = this.#process(execId);
    const exec = execs.get(execId);
    exec?.checkDelete();
    await drainedOrLate(process);
    exec?.release();
    execs.delete(execId);
    const { pid, exit } = process;
    return { pid, ...(exit ? { exitStatus: exit.code, exitedAt: exit.at } : {}) };
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
    const { init, story, execs } = this.#get();
    if (signal > HIGHEST_SIGNAL)
      throw new EngineError('invalid_argument', `unknown signal ${signal}`);
    this.#process(execId);
    const exec = execs.get(execId);
    if (exec) {
      exec.kill(signal);
      return {};
    }
    if (!init.exit) story.signalled(init.pid, signal);
    init.kill(signal, all);
    // A frozen process takes no signal before it is thawed, not even this one.
    if (signal === constants.signals.SIGKILL && init.state === 'paused')
      void init.resume().catch(() => undefined);
    return {};
  }

  async #wait(execId: string) {
    const container = this.#get();
    const { code: exitStatus, at: exitedAt } = await this.#process(execId).exited;
    if (execId === '') await this.#exits.execsGone(container);
    return { exitStatus, exitedAt };
  }

  #get(): Container {
    if (!this.#container) throw new EngineError('not_found', 'container not created');
    return this.#container;
  }

  #process(execId: string): InitProcess | ExecProcess {
    const { init, execs } = this.#get();
    const process = execId === '' ? init : execs.get(execId);
    if (!process) throw new EngineError('not_found', `process does not exist ${execId}`);
    return process;
  }
}

const drainedOrLate = (process: InitProcess | ExecProcess): Promise<unknown> =>
  Promise.race([
    process.drained(),
    new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref()),
  ]);
