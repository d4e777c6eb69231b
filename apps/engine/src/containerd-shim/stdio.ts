/**
 * A container's stdin, stdout and stderr.
 *
 *   dockerd ⇄ FIFO ⇄ shim ⇄ pipe ⇄ container            without a terminal: three pipes
 *   dockerd ⇄ FIFO ⇄ shim ⇄ pty master | slave ⇄ container    with one
 *
 * Why not hand the FIFO itself to the container? It would see a path of the host behind /proc/self/fd, and its end of
 * stdin would depend on how many clients come and go.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/io.go.
 */
import { constants } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { Fifo } from './fifo.ts';
import { Pump } from './pump.ts';

export interface StdioPaths {
  /** Empty: /dev/null. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

type StdioNative = Pick<
  Native,
  | 'open'
  | 'close'
  | 'pipe'
  | 'splice'
  | 'watchReadable'
  | 'watchWritable'
  | 'setNonBlocking'
  | 'setWindowSize'
>;

export class ContainerStdio {
  /** What becomes 0, 1 and 2 of the container. Ours only until it is created. */
  readonly containerFds: readonly [number, number, number];
  readonly #native: StdioNative;
  readonly #paths: StdioPaths;
  readonly #stdin: Fifo | null;
  readonly #stdout: Fifo | null;
  readonly #stderr: Fifo | null;
  /** Our ends of the container's pipes, by stream. */
  #stdinPipe: number | null = null;
  readonly #outputPipes: (number | null)[] = [null, null];
  #ptyMaster: number | null = null;
  #stdinPump: Pump | null = null;
  readonly #outputPumps: Pump[] = [];
  readonly #opened: number[] = [];

  constructor(native: StdioNative, paths: StdioPaths) {
    this.#native = native;
    this.#paths = paths;
    const fifos: Fifo[] = [];
    const open = (path: string): Fifo | null => {
      if (path === '') return null;
      const fifo = new Fifo(native, path);
      fifos.push(fifo);
      return fifo;
    };
    try {
      this.#stdin = open(paths.stdin);
      this.#stdout = open(paths.stdout);
      // A terminal has one output.
      this.#stderr = paths.terminal ? null : open(paths.stderr);
      this.containerFds = [
        this.#inputEnd(),
        this.#outputEnd(0, this.#stdout),
        this.#outputEnd(1, this.#stderr),
      ];
    } catch (error) {
      for (const fifo of fifos) fifo.close();
      for (const fd of this.#opened) native.close(fd);
      throw error;
    }
  }

  /** The container has its ends now: ours of them are closed, and bytes begin to move. */
  start(ptyMaster: number | null): void {
    this.#closeContainerEnds();
    if (ptyMaster !== null) {
      this.#native.setNonBlocking(ptyMaster);
      this.#ptyMaster = ptyMaster;
      if (this.#stdin) this.#stdinPump = new Pump(this.#native, this.#stdin.reader, ptyMaster);
      if (this.#stdout) this.#pumpOutput(ptyMaster, this.#stdout);
      return;
    }
    const stdinPipe = this.#stdinPipe;
    if (this.#stdin && stdinPipe !== null) {
      this.#stdinPump = new Pump(this.#native, this.#stdin.reader, stdinPipe);
      void this.#stdinPump.finished.then(() => this.#closeStdinPipe());
    }
    const [stdoutPipe, stderrPipe] = this.#outputPipes;
    if (this.#stdout && typeof stdoutPipe === 'number') this.#pumpOutput(stdoutPipe, this.#stdout);
    if (this.#stderr && typeof stderrPipe === 'number') this.#pumpOutput(stderrPipe, this.#stderr);
  }

  /** No container came of it. */
  abandon(): void {
    this.#closeContainerEnds();
    this.close();
  }

  /** The client will send no more: what is in the FIFO still arrives, then the container reads the end of its input. */
  closeStdin(): void {
    this.#stdin?.closeWriter();
  }

  resize(rows: number, columns: number): void {
    if (this.#ptyMaster !== null) this.#native.setWindowSize(this.#ptyMaster, rows, columns);
  }

  /** The container is gone: nobody reads its stdin any more. */
  stopInput(): void {
    this.#stdinPump?.stop();
  }

  /** All output has reached the FIFOs, and their readers see its end. */
  async drained(): Promise<void> {
    await Promise.all(this.#outputPumps.map((pump) => pump.finished));
  }

  /** Lets go of everything, also of output that nobody has read. */
  close(): void {
    this.#stdinPump?.stop();
    for (const pump of this.#outputPumps) pump.stop();
    for (const fifo of [this.#stdin, this.#stdout, this.#stderr]) fifo?.close();
    this.#closeStdinPipe();
    this.#outputPipes.forEach((fd, index) => {
      if (fd !== null) this.#native.close(fd);
      this.#outputPipes[index] = null;
    });
    if (this.#ptyMaster !== null) this.#native.close(this.#ptyMaster);
    this.#ptyMaster = null;
  }

  #pumpOutput(from: number, fifo: Fifo): void {
    const pump = new Pump(this.#native, from, fifo.writer);
    this.#outputPumps.push(pump);
    void pump.finished.then(() => fifo.closeWriter());
  }

  #inputEnd(): number {
    if (!this.#stdin || this.#paths.terminal) return this.#nothing(constants.O_RDONLY);
    const [read, write] = this.#pipe();
    this.#stdinPipe = write;
    return read;
  }

  #outputEnd(stream: 0 | 1, fifo: Fifo | null): number {
    if (!fifo || this.#paths.terminal) return this.#nothing(constants.O_WRONLY);
    const [read, write] = this.#pipe();
    this.#outputPipes[stream] = read;
    return write;
  }

  #nothing(flags: number): number {
    const fd = this.#native.open('/dev/null', flags);
    this.#opened.push(fd);
    return fd;
  }

  #pipe(): [number, number] {
    const ends = this.#native.pipe();
    this.#opened.push(...ends);
    return ends;
  }

  #closeContainerEnds(): void {
    for (const fd of this.containerFds) this.#native.close(fd);
  }

  #closeStdinPipe(): void {
    if (this.#stdinPipe !== null) this.#native.close(this.#stdinPipe);
    this.#stdinPipe = null;
  }
}
