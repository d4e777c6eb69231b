/**
 * What a dead shim leaves is cleaned up by a process of its kind: the shim's own `delete`.
 * Upstream: containerd core/runtime/v2/shim.go (cleanupAfterDeadShim).
 */
import { messageOf } from '../../protocol/errdefs.ts';
import { withContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Log } from '../log.ts';
import type { Exits } from './exits.ts';
import type { Unmounter } from './mounts.ts';
import type { SpareKeeper } from './spare.ts';
import { keyOf, taskKey, type Task } from './task.ts';

export interface BurialOptions {
  readonly exits: Exits;
  readonly unmounter: Unmounter;
  readonly spares: SpareKeeper;
  readonly tracer: Tracer;
  readonly log: Log;
}

export class Burials {
  readonly #options: BurialOptions;
  readonly #onBuried: (task: Task) => void;
  readonly #running = new Map<string, Promise<void>>();

  /** `onBuried`: nothing of the task is left; its exit is told right after. */
  constructor(options: BurialOptions, onBuried: (task: Task) => void) {
    this.#options = options;
    this.#onBuried = onBuried;
  }

  /** Once a task, however often it is asked. */
  bury(task: Task): Promise<void> {
    const key = keyOf(task);
    const running = this.#running.get(key);
    if (running) return running;
    const burial = withContext(task.context, () => this.#bury(task)).finally(() =>
      this.#running.delete(key),
    );
    this.#running.set(key, burial);
    return burial;
  }

  /** Resolves when this task is not being cleaned up. */
  async of(namespace: string, id: string): Promise<void> {
    await this.#running.get(taskKey(namespace, id));
  }

  /** Resolves when nothing is. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  async #bury(task: Task): Promise<void> {
    const { bundle, binary, client, stopLog } = task;
    const { exits, unmounter, log, tracer, spares } = this.#options;
    const { namespace, id } = bundle;
    log.warn('cleaning up after shim disconnected', { id, namespace });
    await tracer.span(
      'clean up after a dead shim',
      { level: 'step', source: __SOURCE__, attributes: { 'container.id': id } },
      async () => {
        client.close();
        stopLog();
        const initPid = bundle.initPid();
        const exit = await binary.delete(bundle).catch((error: unknown) => {
          log.error('failed to clean up after shim', { id, namespace, error: messageOf(error) });
          // As containerd says when it does not know.
          return { pid: 0, exitStatus: 255, exitedAt: undefined };
        });
        try {
          bundle.delete(unmounter);
        } catch (error) {
          log.error('failed to delete bundle', { id, namespace, error: messageOf(error) });
        }
        this.#onBuried(task);
        const { exitStatus, exitedAt } = exit;
        // A client knows the process by its pid: without it, it would take the exit for another's.
        exits.tellDeath({ namespace, id, pid: exit.pid || initPid, exitStatus, exitedAt });
      },
    );
    spares.touch();
  }
}
