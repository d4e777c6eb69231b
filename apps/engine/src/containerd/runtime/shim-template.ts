/**
 * The template that spare shims are copies of (`protocol/task/claim.ts`): one process for all of them. It is started by
 * the first spare, and again when it has died.
 */
import { once } from 'node:events';
import { watch } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { LINE_LIMIT_BYTES, SHIM_MALLOC, SPARE_ACTION } from '../../protocol/task/claim.ts';
import type { Log } from '../log.ts';
import { JsonLines } from './json-lines.ts';
import { shimEnvironment, type ShimSurroundings } from './shim-binary.ts';

/** How long it may take to listen, and to answer. */
export const READY_TIMEOUT_MS = 10_000;

export interface ShimTemplateOptions {
  /** Where the claim sockets are, of this containerd alone. */
  readonly folder: string;
  readonly surroundings: ShimSurroundings;
  readonly spawnDetached: (options: {
    file: string;
    argv: readonly string[];
    env: Readonly<Record<string, string>>;
    cwd: string;
  }) => number;
  readonly log: Log;
}

export class ShimTemplate {
  readonly #options: ShimTemplateOptions;
  #count = 0;
  /** Where it takes connections, or will; and the line that it lives as long as. */
  #claimSocket: Promise<string> | undefined;
  #line: { readonly socket: Socket; readonly lines: JsonLines } | undefined;
  /** The seccomp policy that it has compiled, as JSON. */
  #taught: string | undefined;
  /** One after another, for each waits for an answer on the same line. */
  #lessons: Promise<void> = Promise.resolve();

  constructor(options: ShimTemplateOptions) {
    this.#options = options;
  }

  /** The line of a new copy. Where the template has died, whoever notices first starts the next. */
  async connect(shimPath: string): Promise<Socket> {
    try {
      return await connectTo(await this.#listening(shimPath));
    } catch {
      return connectTo(await this.#listening(shimPath));
    }
  }

  /**
   * Most of the work of a create is to compile the container's seccomp policy, and most containers have the same one.
   * A template that has compiled the one in this config.json (JSON text) leaves it to its copies. Never rejects.
   */
  teach(config: Uint8Array): Promise<void> {
    return (this.#lessons = this.#lessons.then(() => this.#teach(config)));
  }

  /** It exits when its line ends, and when it is on its way and the folder is gone. */
  stop(): void {
    this.#line?.socket.destroy();
  }

  async #teach(config: Uint8Array): Promise<void> {
    // One that is on its way has not said hello yet.
    await this.#claimSocket?.catch(() => undefined);
    const policy = seccompIn(config);
    if (!this.#line || policy === undefined || policy === this.#taught) return;
    this.#taught = policy;
    this.#line.socket.write(`{"seccomp":${policy}}\n`);
    await this.#line.lines.next(READY_TIMEOUT_MS).catch((error: unknown) => {
      this.#options.log.debug('the template of shims did not learn', { error: messageOf(error) });
    });
  }

  #listening(shimPath: string): Promise<string> {
    return (this.#claimSocket ??= this.#start(shimPath).catch((error: unknown) => {
      this.#claimSocket = undefined;
      throw error;
    }));
  }

  /** Resolves with its claim socket, once it listens. */
  async #start(shimPath: string): Promise<string> {
    const { folder, surroundings, spawnDetached } = this.#options;
    this.#count += 1;
    const claimSocket = join(folder, `${this.#count}.sock`);
    spawnDetached({
      file: shimPath,
      argv: [
        shimPath,
        '-address',
        surroundings.address,
        '-publish-binary',
        surroundings.publishBinary,
        SPARE_ACTION,
        claimSocket,
      ],
      env: { ...shimEnvironment(surroundings), ...SHIM_MALLOC },
      cwd: '/',
    });
    const socket = await connectWhenThere(claimSocket);
    const line = { socket: socket.unref(), lines: new JsonLines(socket) };
    this.#line = line;
    this.#taught = undefined;
    socket.once('close', () => {
      if (this.#line !== line) return;
      this.#line = undefined;
      this.#claimSocket = undefined;
    });
    await line.lines.next(READY_TIMEOUT_MS); // Its hello.
    return claimSocket;
  }
}

/** `linux.seccomp` as JSON; undefined where there is none, or none that would pass through the line. */
const seccompIn = (config: Uint8Array): string | undefined => {
  try {
    const spec = JSON.parse(Buffer.from(config).toString()) as { linux?: { seccomp?: unknown } };
    if (!spec.linux?.seccomp) return undefined;
    const policy = JSON.stringify(spec.linux.seccomp);
    return policy.length < LINE_LIMIT_BYTES / 2 ? policy : undefined;
  } catch {
    return undefined; // What is wrong with it is said by the shim of its own container.
  }
};

const connectTo = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });

/** The socket appears, listening, when the template has loaded its code: the folder tells. */
const connectWhenThere = async (path: string): Promise<Socket> => {
  const late = AbortSignal.timeout(READY_TIMEOUT_MS);
  const watcher = watch(dirname(path), { persistent: false });
  try {
    for (;;) {
      const change = once(watcher, 'change', { signal: late });
      // Nobody waits for it when the line is there.
      change.catch(() => undefined);
      try {
        return await connectTo(path);
      } catch (error) {
        await change.catch(() => {
          throw new EngineError('deadline', `the template of shims did not listen on ${path}`, {
            cause: error,
          });
        });
      }
    }
  } finally {
    watcher.close();
  }
};
