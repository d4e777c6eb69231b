/**
 * The shim's end of `--console-socket`: a runtime connects and sends the master of the terminal that it has made.
 * unix(7) SCM_RIGHTS. Upstream: github.com/containerd/go-runc console.go (NewTempConsoleSocket).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { listenOnSocket } from '../transport/unix-socket.ts';

const TIMEOUT_MS = 10_000;

export class ConsoleListener {
  readonly path: string;
  readonly #native: Native;
  readonly #server: Server;
  readonly #connected: Promise<Socket>;

  private constructor(native: Native) {
    this.#native = native;
    this.path = join(mkdtempSync(join(tmpdir(), 'pty-')), 'pty.sock');
    // Paused: Node would read the message and lose the descriptor that rides on it.
    this.#server = createServer({ pauseOnConnect: true });
    this.#connected = new Promise((resolve) => this.#server.once('connection', resolve));
  }

  static async open(native: Native): Promise<ConsoleListener> {
    const listener = new ConsoleListener(native);
    await listenOnSocket(listener.#server, listener.path, 0o600);
    return listener;
  }

  /** Precondition: the runtime has exited well, so it has connected and sent. */
  async receive(): Promise<number> {
    const socket = await this.#connected;
    try {
      const master = this.#native.receiveFd(descriptorOf(socket), TIMEOUT_MS);
      if (master === null) throw new EngineError('unknown', 'the runtime has sent no terminal');
      return master;
    } finally {
      socket.destroy();
    }
  }

  close(): void {
    this.#server.close();
    rmSync(dirname(this.path), { recursive: true, force: true });
  }
}

const descriptorOf = (socket: Socket): number => {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null && Reflect.get(handle, 'fd');
  if (typeof fd !== 'number') throw new EngineError('internal', 'a socket without a descriptor');
  return fd;
};
