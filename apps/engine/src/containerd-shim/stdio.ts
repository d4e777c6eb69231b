/**
 * A container's stdin, stdout and stderr.
 *
 *   dockerd ⇄ FIFO ⇄ shim ⇄ pipe ⇄ container            without a terminal: three pipes
 *   dockerd ⇄ FIFO ⇄ shim ⇄ pty master | slave ⇄ container    with one
 *
 * In place of an output FIFO there may be a file or a program (stdio-uri.ts).
 *
 * Why not hand the FIFO itself to the container? It would see a path of the host behind /proc/self/fd, and its end of
 * stdin would depend on how many clients come and go.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/io.go.
 */
import { constants, fchownSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { Fifo } from './fifo.ts';
import { LogBinary } from './log-binary.ts';
import { fifoOutput, fileOutput, type Output } from './output.ts';
import { Pump } from './pump.ts';
import { parseStdio } from './stdio-uri.ts';

export interface StdioPaths {
  /** Empty: /dev/null. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** Whose streams they are: a logging program is told, and the pipes may belong to a user (`io_uid` of the options). */
export interface StdioOwner {
  readonly namespace: string;
  readonly containerId: string;
  readonly uid: number;
  readonly gid: number;
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
  readonly #owner: StdioOwner;
  readonly #stdin: Fifo | null;
  readonly #stdout: Output | null;
  readonly #stderr: Output | null;
  readonly #logger: LogBinary | null;
  /** Our ends of the container's pipes, by stream. */
  #stdinPipe: number | null = null;
  readonly #outputPipes: (number | null)[] = [null, null];
  #ptyMaster: number | null = null;
  #stdinPump: Pump | null = null;
  readonly #outputPumps: Pump[] = [];
  readonly #opened: number[] = [];

  constructor(native: StdioNative, paths: StdioPaths, owner: StdioOwner) {
    this.#native = native;
    this.#paths = paths;
    this.#owner = owner;
    const opened: { close(): void }[] = [];
    const keep = <T extends { close(): void }>(thing: T): T => {
      opened.push(thing);
      return thing;
    };
    try {
      this.#stdin = paths.stdin === '' ? null : keep(openInput(native, paths.stdin));
      const { stdout, stderr, logger } = openOutputs(native, paths, { owner, keep });
      this.#stdout = stdout;
      this.#stderr = stderr;
      this.#logger = logger;
      this.containerFds = [
        this.#inputEnd(),
        this.#outputEnd(0, this.#stdout),
        // Two streams into one file come through one pipe, in their order.
        stderr !== null && stderr === stdout ? this.#sharedEnd() : this.#outputEnd(1, this.#stderr),
      ];
    } catch (error) {
      for (const thing of opened) thing.close();
      for (const fd of this.#opened) native.close(fd);
      throw error;
    }
  }

  /** Resolves when somebody takes the output; rejects when a logging program cannot. */
  async ready(): Promise<void> {
    await this.#logger?.ready;
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
    await Promise.all([this.#stdout?.arrived, this.#stderr?.arrived]);
  }

  /** Lets go of everything, also of output that nobody has read. */
  close(): void {
    this.#stdinPump?.stop();
    for (const pump of this.#outputPumps) pump.stop();
    for (const end of [this.#stdin, this.#stdout, this.#stderr]) end?.close();
    this.#logger?.close();
    this.#closeStdinPipe();
    this.#outputPipes.forEach((fd, index) => {
      if (fd !== null) this.#native.close(fd);
      this.#outputPipes[index] = null;
    });
    if (this.#ptyMaster !== null) this.#native.close(this.#ptyMaster);
    this.#ptyMaster = null;
  }

  #pumpOutput(from: number, output: Output): void {
    const pump = new Pump(this.#native, from, output.writer);
    this.#outputPumps.push(pump);
    void pump.finished.then(() => output.end());
  }

  #inputEnd(): number {
    if (!this.#stdin || this.#paths.terminal) return this.#nothing(constants.O_RDONLY);
    const [read, write] = this.#pipe();
    this.#stdinPipe = write;
    return read;
  }

  #outputEnd(stream: 0 | 1, output: Output | null): number {
    if (!output || this.#paths.terminal) return this.#nothing(constants.O_WRONLY);
    const [read, write] = this.#pipe();
    this.#outputPipes[stream] = read;
    return write;
  }

  /** Another name for the writing end of stdout's pipe. */
  #sharedEnd(): number {
    const fd = this.#native.open(`/proc/self/fd/${this.#opened.at(-1) ?? -1}`, constants.O_WRONLY);
    this.#opened.push(fd);
    return fd;
  }

  #nothing(flags: number): number {
    const fd = this.#native.open('/dev/null', flags);
    this.#opened.push(fd);
    return fd;
  }

  #pipe(): [number, number] {
    const ends = this.#native.pipe();
    this.#opened.push(...ends);
    const { uid, gid } = this.#owner;
    // Both ends are one inode.
    if (uid !== 0 || gid !== 0) fchownSync(ends[0], uid, gid);
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

const openInput = (native: StdioNative, text: string): Fifo => {
  const { kind, path } = parseStdio(text);
  if (kind !== 'fifo')
    throw new EngineError('invalid_argument', `stdin ${JSON.stringify(text)}: it must be a fifo`);
  return new Fifo(native, path);
};

/** A terminal has one output; a program takes both. */
const openOutputs = (
  native: StdioNative,
  { stdout, stderr, terminal }: StdioPaths,
  {
    owner,
    keep,
  }: { readonly owner: StdioOwner; readonly keep: <T extends { close(): void }>(thing: T) => T },
): {
  readonly stdout: Output | null;
  readonly stderr: Output | null;
  readonly logger: LogBinary | null;
} => {
  const target = stdout === '' ? null : parseStdio(stdout);
  if (target?.kind === 'binary') {
    const logger = keep(new LogBinary({ native, ...target, ...owner }));
    if (terminal) logger.stderr.end();
    return { stdout: logger.stdout, stderr: logger.stderr, logger };
  }
  const open = (text: string): Output | null => {
    if (text === '') return null;
    const { kind, path } = parseStdio(text);
    if (kind === 'binary')
      throw new EngineError('invalid_argument', `stderr ${JSON.stringify(text)}: as stdout`);
    return keep(kind === 'file' ? fileOutput(native, path) : fifoOutput(native, path));
  };
  const first = open(stdout);
  const isOneFile = target?.kind === 'file' && stderr === stdout;
  return {
    stdout: first,
    stderr: terminal ? null : isOneFile ? first : open(stderr),
    logger: null,
  };
};
