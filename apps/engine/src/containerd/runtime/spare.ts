/**
 * Keeps one shim warm: a process without a container, waiting to be claimed (`protocol/task/claim.ts`).
 *
 * A container then does not wait for a shim to start. The next spare is started when nothing has happened for
 * a moment, so that its start does not compete with the run that took the last one.
 */
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import {
  LINE_LIMIT_BYTES,
  type BootstrapAnswer,
  type ClaimAnswer,
  type ClaimRequest,
  type ForeseeRequest,
  type SpareHello,
} from '../../protocol/task/claim.ts';
import { withContext } from '../../tracing/context.ts';
import { JsonLines } from './json-lines.ts';
import { removeAtOnce } from './remove-at-once.ts';
import type { ShimSurroundings } from './shim-binary.ts';
import { READY_TIMEOUT_MS, ShimTemplate, type ShimTemplateOptions } from './shim-template.ts';

const QUIET_MS = 100;
const CLAIM_TIMEOUT_MS = 5000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/** `folder` has one for each containerd that ever was. */
export interface SpareOptions extends ShimTemplateOptions {
  /** The shim of the runtime that is kept warm. */
  readonly shimPath: () => string;
  /** False keeps none: every shim is bootstrapped, as in real containerd. */
  readonly isWanted: boolean;
}

interface Spare {
  readonly shimPath: string;
  readonly hello: SpareHello;
  readonly socket: Socket;
  readonly lines: JsonLines;
  readonly readySince: number;
}

export interface ClaimedSpare {
  readonly pid: number;
  readonly startTime: string;
  readonly bootstrap: BootstrapAnswer;
  /** How long it had been waiting. */
  readonly readyMs: number;
}

export class SpareKeeper {
  readonly #options: SpareOptions;
  /** Of this containerd alone. */
  readonly #folder: string;
  #spare: Spare | undefined;
  /** Spares that load their code now. */
  #starting = 0;
  /** Whoever waits for one; undefined tells that it does not come. */
  readonly #waiting: ((spare: Spare | undefined) => void)[] = [];
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  /** config.json of the last container, until the template was taught it. */
  #lastConfig: Uint8Array | undefined;
  readonly #template: ShimTemplate;

  constructor(options: SpareOptions) {
    this.#options = options;
    // Spares of an earlier containerd leave when they see that their folder has gone.
    removeAtOnce(options.folder);
    this.#folder = join(options.folder, String(process.pid));
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#template = new ShimTemplate({ ...options, folder: this.#folder });
  }

  /** Something is going on: a missing spare waits until it is quiet again. */
  touch(delayMs = QUIET_MS): void {
    if (this.#stopped || this.#spare || !this.#options.isWanted) return;
    clearTimeout(this.#timer);
    const refill = async (): Promise<void> => {
      const config = this.#lastConfig;
      this.#lastConfig = undefined;
      if (config) await this.#template.teach(config);
      if (!this.#spare) this.#startUpTo(Math.max(this.#waiting.length, 1));
    };
    // Outside of any span: a spare belongs to no container yet.
    this.#timer = withContext(undefined, () => setTimeout(() => void refill(), delayMs));
    this.#timer.unref();
  }

  /** A container has this config.json (JSON text): whatever spare waits, waits for it. */
  foresee(config: Uint8Array): void {
    if (!this.#spare || config.length > LINE_LIMIT_BYTES) return;
    const request: ForeseeRequest = { config: Buffer.from(config).toString() };
    const line = JSON.stringify(request);
    // Nobody has looked yet at what it is, and a control character takes six.
    if (line.length <= LINE_LIMIT_BYTES) this.#spare.socket.write(`${line}\n`);
  }

  /** A container is made of this config.json (JSON text); the next one is likely to be of the same kind. */
  expectSuchAs(config: Uint8Array): void {
    this.#lastConfig = config;
  }

  /**
   * The waiting spare becomes the shim of a container; undefined when there is none (of that kind) or it fails.
   * Where the last one has just been taken, the next is waited for: it is one process on its way, a bootstrap is two.
   */
  async claim(
    shimPath: string,
    request: Omit<ClaimRequest, keyof ShimSurroundings | 'debug'>,
  ): Promise<ClaimedSpare | undefined> {
    const spare = await this.#take(shimPath);
    if (!spare) return undefined;
    const { address, ttrpcAddress, publishBinary, isDebug } = this.#options.surroundings;
    const full: ClaimRequest = { ...request, address, ttrpcAddress, publishBinary, debug: isDebug };
    try {
      spare.socket.ref();
      spare.socket.write(`${JSON.stringify(full)}\n`);
      const answer = (await spare.lines.next(CLAIM_TIMEOUT_MS)) as ClaimAnswer;
      if ('error' in answer) throw new EngineError('unavailable', answer.error);
      const readyMs = Math.round(performance.now() - spare.readySince);
      return { pid: spare.hello.pid, startTime: spare.hello.startTime, bootstrap: answer, readyMs };
    } catch (error) {
      this.#options.log.warn('spare shim could not be claimed', {
        error: messageOf(error),
        pid: spare.hello.pid,
      });
      return undefined;
    } finally {
      spare.socket.destroy();
    }
  }

  /** Ends the waiting spare and the template: each exits when its connection does, and what is on its way when the folder is gone. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    removeAtOnce(this.#folder);
    this.#spare?.socket.destroy();
    this.#spare = undefined;
    this.#template.stop();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  async #take(shimPath: string): Promise<Spare | undefined> {
    if (this.#stopped || !this.#options.isWanted) return undefined;
    // A shim of another kind has nothing to wait for.
    if (!this.#spare && shimPath !== this.#options.shimPath()) return undefined;
    const spare = this.#spare;
    if (spare) {
      if (spare.shimPath !== shimPath) return undefined;
      this.#spare = undefined;
      return spare;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      withContext(undefined, () => this.#startUpTo(this.#waiting.length));
    });
  }

  /** More at once than there are processors would only make each of them slower. */
  #startUpTo(wanted: number): void {
    while (!this.#stopped && this.#starting < Math.min(wanted, availableParallelism())) {
      clearTimeout(this.#timer);
      this.#starting += 1;
      void this.#startOne().finally(() => {
        this.#starting -= 1;
        this.#startUpTo(this.#waiting.length);
      });
    }
  }

  /** Never rejects. */
  async #startOne(): Promise<void> {
    try {
      const spare = await this.#start();
      this.#retryMs = FIRST_RETRY_MS;
      const taker = this.#waiting.shift();
      if (taker) taker(spare);
      else this.#keep(spare);
    } catch (error) {
      this.#options.log.warn('no spare shim', { error: messageOf(error), retryMs: this.#retryMs });
      this.#waiting.shift()?.(undefined);
      this.touch(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
  }

  /** One is enough. */
  #keep(spare: Spare): void {
    if (this.#stopped || this.#spare) {
      spare.socket.destroy();
      return;
    }
    this.#spare = spare;
    spare.socket.once('close', () => {
      if (this.#spare !== spare) return;
      this.#spare = undefined;
      this.touch(this.#retryMs);
    });
    this.#options.log.debug('spare shim is ready', { pid: spare.hello.pid });
  }

  async #start(): Promise<Spare> {
    const shimPath = this.#options.shimPath();
    const socket = await this.#template.connect(shimPath);
    const lines = new JsonLines(socket);
    try {
      const hello = (await lines.next(READY_TIMEOUT_MS)) as SpareHello;
      // The spare alone is no reason for containerd to live on.
      socket.unref();
      return { shimPath, hello, socket, lines, readySince: performance.now() };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}
