/**
 * The order in which exits are told: a process's start before its exit, the execs' exits before that of the
 * container's first process, an out-of-memory kill before the exit that it explains.
 * Upstream: containerd cmd/containerd-shim-runc-v2/task/service.go (preStart, processExits, handleInitExit).
 */
import { constants } from 'node:os';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { TaskExitSchema, TaskOOMSchema } from '../protocol/gen/containerd/task-events_pb.ts';
import { withContext } from '../tracing/context.ts';
import type { ContainerStory } from './container-story.ts';
import type { Container } from './container.ts';
import type { ExecProcess } from './exec-process.ts';
import type { Exit } from './init-process.ts';
import { watchOutOfMemory } from './oom-watch.ts';
import type { Publisher } from './publisher.ts';

export class TaskExits {
  readonly #publisher: Publisher;
  /** While runc starts a process (by exec id; the first process has none). */
  readonly #starting = new Map<string, Promise<void>>();
  /** Exits of execs that are being told. */
  readonly #telling = new Set<Promise<void>>();
  #unwatchMemory: () => void = () => undefined;
  #hasToldOom = false;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** Tells of each out-of-memory kill from now on. */
  watchMemory(container: Container, native: Native): void {
    this.#unwatchMemory = watchOutOfMemory(native, container.init.cgroup, () => {
      this.#hasToldOom = true;
      void (this.#starting.get('') ?? Promise.resolve()).then(() => this.#tellOom(container));
    });
  }

  /** Does the work, at whose end the start is told. Exits of that process are told after it. */
  async duringStart(execId: string, work: () => Promise<void>): Promise<void> {
    if (this.#starting.has(execId))
      throw new EngineError('failed_precondition', 'the process is being started');
    const starting = work();
    // A failure is the caller's; whoever waits for the order of events only needs to know that it is over.
    this.#starting.set(
      execId,
      starting.catch(() => undefined),
    );
    try {
      await starting;
    } finally {
      this.#starting.delete(execId);
    }
  }

  async initExited(container: Container, exit: Exit): Promise<void> {
    const { init, story, id } = container;
    // Asked now: the counter goes with the cgroup.
    const isOomUntold = init.cgroup.oomKills() > 0 && !this.#hasToldOom;
    this.#unwatchMemory();
    const mono = process.hrtime.bigint().toString();
    // In a pid namespace of its own the kernel has killed the others.
    if (container.sharesPids) init.kill(constants.signals.SIGKILL, true);
    await this.#starting.get('');
    // Only now is it known whether the program has run.
    story.exited(init.pid, exit, mono);
    await this.execsGone(container);
    if (isOomUntold) this.#tellOom(container);
    this.#tell(container, init.pid, { id, exit, story });
  }

  execExited(container: Container, process: ExecProcess, exit: Exit): void {
    const { execId: id, pid, story } = process;
    story?.exited(pid, exit);
    const told = (this.#starting.get(id) ?? Promise.resolve()).then(() =>
      this.#tell(container, pid, { id, exit, story }),
    );
    this.#telling.add(told);
    void told.finally(() => this.#telling.delete(told));
  }

  /** Resolves when the exits of all execs were told. */
  async execsGone(container: Container): Promise<void> {
    await Promise.all(container.runningExecs.map(({ exited }) => exited));
    await Promise.all(this.#telling);
  }

  #tellOom({ id: containerId, story }: Container): void {
    withContext(story.context, () =>
      this.#publisher.publish('/tasks/oom', TaskOOMSchema, { containerId }, 'step'),
    );
  }

  #tell(
    container: Container,
    pid: number,
    { id, exit, story }: { id: string; exit: Exit; story: ContainerStory | undefined },
  ): void {
    const { code: exitStatus, at: exitedAt } = exit;
    withContext(story?.context, () =>
      this.#publisher.publish('/tasks/exit', TaskExitSchema, {
        containerId: container.id,
        id,
        pid,
        exitStatus,
        exitedAt,
      }),
    );
  }
}
