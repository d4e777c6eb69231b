/**
 * The stdio of a running container: FIFOs that dockerd makes and the shim opens, and what reads and writes them.
 * The FIFOs outlive dockerd: the shim keeps both ends open, so bytes wait in them for the next dockerd.
 * See fifo(7). Upstream: containerd pkg/cio, moby daemon/internal/libcontainerd/remote/client_io.go.
 */
import { constants, mkdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Native } from '../../../../../native/native.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import type { TaskStdio } from '../containerd-client/tasks.ts';
import { openLog, type ContainerLog } from '../logger/container-log.ts';
import { OutputPump } from '../logger/output-pump.ts';
import type { Container } from './container.ts';

export type RunNative = Pick<Native, 'mkfifo' | 'open' | 'splice' | 'watchReadable'>;

export interface ContainerRunOptions {
  readonly container: Container;
  /** `<exec root>/containers/<id>`: gone after a reboot, like the FIFOs' readers. */
  readonly fifoDirectory: string;
  readonly native: RunNative;
  readonly onOutput: (stream: StreamName, bytes: Buffer, offset: number) => void;
}

export class ContainerRun {
  readonly stdio: TaskStdio;
  /** Resolves when the streams have ended and all of their bytes are logged. */
  readonly drained: Promise<void>;
  readonly log: ContainerLog;
  readonly #fifoDirectory: string;
  readonly #pumps: OutputPump[];
  #stdin: Socket | null = null;

  constructor({ container, fifoDirectory, native, onOutput }: ContainerRunOptions) {
    const { Tty, OpenStdin } = container.record.config;
    const fifo = (name: string): string => join(fifoDirectory, name);
    mkdirSync(fifoDirectory, { recursive: true, mode: 0o711 });
    this.#fifoDirectory = fifoDirectory;
    this.stdio = {
      stdin: OpenStdin ? fifo('init-stdin') : '',
      stdout: fifo('init-stdout'),
      stderr: Tty ? '' : fifo('init-stderr'),
      isTerminal: Tty,
    };
    for (const path of [this.stdio.stdin, this.stdio.stdout, this.stdio.stderr]) {
      if (path) native.mkfifo(path, 0o600);
    }
    const { directory, id } = container;
    const spool = join(directory, 'spool');
    this.log = openLog(container.hostConfig.LogConfig, { directory, id, spool });
    const pump = (stream: StreamName, fifoPath: string): OutputPump =>
      new OutputPump({
        stream,
        fifoPath,
        spoolDirectory: spool,
        log: this.log,
        hub: container.hub,
        native,
        onOutput: (bytes, offset) => onOutput(stream, bytes, offset),
      });
    // A terminal has one output only.
    this.#pumps = [
      pump('stdout', this.stdio.stdout),
      ...(this.stdio.stderr ? [pump('stderr', this.stdio.stderr)] : []),
    ];
    this.drained = Promise.all(this.#pumps.map(({ finished }) => finished)).then(() => undefined);
    this.drained.catch(() => undefined);
    if (this.stdio.stdin) {
      // Read-write: the open neither waits for the shim nor fails without it. The shim's CloseIO ends the stream.
      const fd = native.open(this.stdio.stdin, constants.O_RDWR | constants.O_NONBLOCK);
      this.#stdin = new Socket({ fd, readable: false, writable: true });
      this.#stdin.on('error', () => this.#stdin?.destroy());
    }
  }

  /** Precondition: the shim has opened its ends. */
  begin(): void {
    for (const pump of this.#pumps) pump.start();
  }

  /** The container has ended: a full disk is no reason any more to wait. */
  lastCall(): void {
    for (const pump of this.#pumps) pump.lastCall();
  }

  /** Where a client's keystrokes go; null without -i, or after the end was told. */
  get stdin(): Socket | null {
    return this.#stdin;
  }

  /** Nothing can follow. Precondition: the last write has called back. */
  closeStdin(): void {
    this.#stdin?.destroy();
    this.#stdin = null;
  }

  /** dockerd goes, the container stays. */
  async abandon(): Promise<void> {
    for (const pump of this.#pumps) pump.abandon();
    this.#stdin?.destroy();
    await this.log.close();
  }

  /** After the exit: nothing of the run is left but its log. */
  async dispose(): Promise<void> {
    await this.abandon();
    rmSync(this.#fifoDirectory, { recursive: true, force: true });
  }
}
