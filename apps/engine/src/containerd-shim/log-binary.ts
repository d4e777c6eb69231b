/**
 * A program that gets a container's output: descriptor 3 is stdout, 4 is stderr, and it closes 5 when it is ready.
 * It lives until both have ended. Upstream: containerd cmd/containerd-shim-runc-v2/process/io.go (NewBinaryIO),
 * core/runtime/v2/logging; docs: core/runtime/v2/README.md, "Logging".
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { EngineError } from '../protocol/errdefs.ts';
import type { Output, OutputNative } from './output.ts';

export interface LogBinaryOptions {
  readonly native: OutputNative;
  readonly path: string;
  readonly args: readonly string[];
  readonly containerId: string;
  readonly namespace: string;
}

const READY_MS = 10_000;
/** After the container's end, for what is still to be written down. */
const PATIENCE_MS = 12_000;

export class LogBinary {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Rejects when the program cannot be run or does not get ready. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor({ native, path, args, containerId, namespace }: LogBinaryOptions) {
    const [stdoutRead, stdoutWrite] = native.pipe();
    const [stderrRead, stderrWrite] = native.pipe();
    const [readyRead, readyWrite] = native.pipe();
    this.#child = spawn(path, [...args], {
      env: { CONTAINER_ID: containerId, CONTAINER_NAMESPACE: namespace },
      stdio: ['ignore', 'ignore', 'ignore', stdoutRead, stderrRead, readyWrite],
    });
    const failed = new Promise<never>((_, reject) => this.#child.once('error', reject));
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    for (const fd of [stdoutRead, stderrRead, readyWrite]) native.close(fd);
    this.ready = Promise.race([readyOrLate(native, readyRead), failed]).catch((error: unknown) => {
      this.close();
      throw new EngineError('unknown', `failed to start logging binary ${path}`, { cause: error });
    });
    this.ready.catch(() => undefined);
    this.stdout = this.#output(native, stdoutWrite);
    this.stderr = this.#output(native, stderrWrite);
  }

  /** It had its time. */
  close(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS).unref();
    void this.#exited.then(() => clearTimeout(late));
  }

  #output(native: OutputNative, writer: number): Output {
    let isOpen = true;
    const end = (): void => {
      if (isOpen) native.close(writer);
      isOpen = false;
    };
    return {
      writer,
      end,
      arrived: this.#exited,
      close: () => {
        end();
        this.close();
      },
    };
  }
}

/** A byte or the end: both mean ready. */
const readyOrLate = (native: OutputNative, fd: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const over = (settle: () => void): void => {
      clearTimeout(timer);
      stop();
      native.close(fd);
      settle();
    };
    const timer = setTimeout(
      () => over(() => reject(new EngineError('deadline', 'it did not get ready'))),
      READY_MS,
    );
    const stop = native.watchReadable(fd, () => over(resolve));
  });
