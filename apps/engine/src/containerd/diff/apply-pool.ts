/**
 * The threads that apply layers: made when they are needed, at most as many as there are processors, and let go when
 * nothing has come for a while. What a layer can do to the memory of its thread ends with the thread.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../protocol/errdefs.ts';
import type { BlobApplier, BlobToApply } from './apply-blob.ts';
import type { AppliedLayer } from './apply.ts';
import type { FromThread, ToThread } from './apply-thread.ts';

const IDLE_MS = 5_000;
const MAX_HEAP_MB = 256;

interface Thread {
  readonly worker: Worker;
  idle: NodeJS.Timeout | undefined;
}

export class ApplyPool {
  readonly #script: string;
  readonly #most: number;
  readonly #free: Thread[] = [];
  readonly #waiting: ((thread: Thread) => void)[] = [];
  #count = 0;

  /** `script` is `apply-thread.ts` as JavaScript. */
  constructor(script: string, most = availableParallelism()) {
    this.#script = script;
    this.#most = most;
  }

  readonly apply: BlobApplier = async (blob, signal) => {
    const thread = await this.#take();
    try {
      signal.throwIfAborted();
      return await ask(thread.worker, blob, signal);
    } finally {
      this.#giveBack(thread);
    }
  };

  async #take(): Promise<Thread> {
    const thread = this.#free.pop();
    if (thread) {
      clearTimeout(thread.idle);
      return thread;
    }
    if (this.#count < this.#most) return this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): Thread {
    this.#count += 1;
    const worker = new Worker(this.#script, {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: 8 },
    });
    // No thread keeps a daemon that is asked to stop.
    worker.unref();
    const thread: Thread = { worker, idle: undefined };
    // Whoever waits for its answer hears of it too.
    worker.on('error', () => undefined);
    worker.once('exit', () => this.#gone(thread));
    return thread;
  }

  #gone(thread: Thread): void {
    this.#count -= 1;
    const at = this.#free.indexOf(thread);
    if (at >= 0) this.#free.splice(at, 1);
    const next = this.#waiting.shift();
    if (next) next(this.#start());
  }

  #giveBack(thread: Thread): void {
    // One that died is no thread any more.
    if (thread.worker.threadId === -1) return;
    const next = this.#waiting.shift();
    if (next) return next(thread);
    thread.idle = setTimeout(() => void thread.worker.terminate(), IDLE_MS).unref();
    this.#free.push(thread);
  }
}

const ask = (worker: Worker, blob: BlobToApply, signal: AbortSignal): Promise<AppliedLayer> =>
  new Promise((resolve, reject) => {
    const say = (message: ToThread): void => worker.postMessage(message);
    const onAbort = (): void => say('cancel');
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (said: FromThread): void => {
      settle();
      if ('applied' in said) resolve(said.applied);
      else reject(new EngineError(said.kind, said.message));
    };
    // It is a thread until it has ended: only then may another take its place.
    let cause: Error | undefined;
    const onError = (error: Error): void => void (cause = error);
    const onExit = (code: number): void => {
      settle();
      const reason = cause?.message ?? `its thread ended with ${code}`;
      reject(new EngineError('unknown', `failed to apply layer: ${reason}`, { cause }));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    say(blob);
  });
