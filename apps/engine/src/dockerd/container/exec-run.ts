/**
 * The stdio of a running exec: FIFOs beside those of its container, for a client that is attached. Nothing is logged:
 * what an exec prints belongs to whoever asked for it. Upstream: containerd pkg/cio, moby daemon/exec.go.
 */
import { constants, mkdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Native } from '../../../../../native/native.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import type { TaskStdio } from '../containerd-client/tasks.ts';
import type { Exec } from './exec.ts';

export interface ExecRunOptions {
  readonly exec: Exec;
  /** `<exec root>/containers/<id>`. */
  readonly fifoDirectory: string;
  readonly native: Pick<Native, 'mkfifo' | 'open'>;
  readonly onOutput: (stream: StreamName, bytes: Buffer, offset: number) => void;
}

export class ExecRun {
  readonly stdio: TaskStdio;
  /** Resolves at the end of all output. */
  readonly drained: Promise<void>;
  readonly #exec: Exec;
  readonly #outputs: Socket[] = [];
  readonly #onOutput: ExecRunOptions['onOutput'];
  #stdin: Socket | null = null;

  constructor({ exec, fifoDirectory, native, onOutput }: ExecRunOptions) {
    const { Tty, AttachStdin, AttachStdout, AttachStderr } = exec.config;
    this.#exec = exec;
    this.#onOutput = onOutput;
    mkdirSync(fifoDirectory, { recursive: true, mode: 0o711 });
    const fifo = (isWanted: boolean, name: string): string => {
      if (!isWanted) return '';
      const path = join(fifoDirectory, `${exec.id}-${name}`);
      native.mkfifo(path, 0o600);
      return path;
    };
    this.stdio = {
      stdin: fifo(AttachStdin, 'stdin'),
      // A terminal has one output.
      stdout: fifo(AttachStdout || (Tty && AttachStderr), 'stdout'),
      stderr: fifo(AttachStderr && !Tty, 'stderr'),
      isTerminal: Tty,
    };
    const { stdin, stdout, stderr } = this.stdio;
    const endings: Promise<void>[] = [];
    const reader = (stream: StreamName, path: string): void => {
      if (path === '') return;
      const fd = native.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const socket = new Socket({ fd, readable: true, writable: false });
      this.#outputs.push(socket);
      endings.push(this.#read(stream, socket));
    };
    reader('stdout', stdout);
    reader('stderr', stderr);
    this.drained = Promise.all(endings).then(() => undefined);
    if (stdin === '') return;
    const fd = native.open(stdin, constants.O_RDWR | constants.O_NONBLOCK);
    this.#stdin = new Socket({ fd, readable: false, writable: true });
    this.#stdin.on('error', () => this.#stdin?.destroy());
  }

  /** Precondition: the shim has opened its ends, or an empty FIFO would look like its end. */
  begin(): void {
    for (const socket of this.#outputs) socket.resume();
  }

  get stdin(): Socket | null {
    return this.#stdin;
  }

  /** Precondition: the last write has called back. */
  closeStdin(): void {
    this.#stdin?.destroy();
    this.#stdin = null;
  }

  /** Nothing is left. */
  dispose(): void {
    this.closeStdin();
    for (const socket of this.#outputs) socket.destroy();
    const { stdin, stdout, stderr } = this.stdio;
    for (const path of [stdin, stdout, stderr]) if (path) rmSync(path, { force: true });
  }

  #read(stream: StreamName, socket: Socket): Promise<void> {
    const { hub } = this.#exec;
    let offset = 0;
    socket.pause();
    socket.on('data', (bytes: Buffer) => {
      hub.write(stream, bytes);
      this.#onOutput(stream, bytes, offset);
      offset += bytes.length;
      if (!hub.isCongested) return;
      // A slow client holds the process up, and loses nothing.
      socket.pause();
      hub.onRelief(() => socket.resume());
    });
    return new Promise((resolve) => {
      socket.on('error', () => socket.destroy());
      socket.once('end', () => resolve());
      socket.once('close', () => resolve());
    });
  }
}
