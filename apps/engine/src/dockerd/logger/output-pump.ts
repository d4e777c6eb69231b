/**
 * One output stream of a running container: FIFO → spool → attached clients, log and trace, in this order.
 * What cannot be passed on fast enough stays in the FIFO, and there it holds up the container: back-pressure, no loss.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Native } from '../../../../../native/native.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import type { ContainerLog } from './container-log.ts';
import { LineSplitter } from './line-splitter.ts';
import { logTime } from './log-entry.ts';
import type { OutputHub } from './output-hub.ts';
import { Spool } from './spool.ts';

export interface OutputPumpOptions {
  readonly stream: StreamName;
  readonly fifoPath: string;
  readonly spoolDirectory: string;
  readonly log: ContainerLog;
  readonly hub: OutputHub;
  readonly native: Pick<Native, 'splice' | 'watchReadable'>;
  /** The bytes for the trace, with their place in the stream. */
  readonly onOutput: (bytes: Buffer, offset: number) => void;
}

const MOVE_BYTES = 64 * 1024;
/** Moved in one turn of the event loop, before others get theirs. */
const TURN_BYTES = 512 * 1024;
const LOG_BACKLOG_BYTES = 4 * 1024 * 1024;
const FULL_DISK_RETRY_MS = 500;

export class OutputPump {
  /** Resolves at the end of the stream, when all of it is in the log and was given to the attached clients. */
  readonly finished: Promise<void>;
  readonly #options: OutputPumpOptions;
  readonly #spool: Spool;
  readonly #splitter = new LineSplitter();
  readonly #fifo: number;
  #offset: number;
  #stopWatching: (() => void) | null = null;
  #isFinished = false;
  #isLastCall = false;
  /** From here on nothing is spooled: the places in the stream would not agree. */
  #isUnkept = false;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #stopLogWatch: () => void;

  constructor(options: OutputPumpOptions) {
    this.#options = options;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.finished.catch(() => undefined);
    this.#spool = new Spool(options.spoolDirectory, options.stream);
    const logged = options.log.loggedOf(options.stream);
    this.#spool.startAt(logged);
    // The newline that the log adds to an unfinished last line is no byte of the stream.
    this.#offset = Math.min(logged, this.#spool.consumed);
    // Opened before the shim opens its end, which a FIFO would otherwise make it wait for.
    this.#fifo = openSync(options.fifoPath, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#stopLogWatch = options.log.watch(() => this.#onLogged());
  }

  /** Precondition: the shim has opened the FIFO, or nobody will: an empty FIFO without a writer is at its end. */
  start(): void {
    this.#guard(() => this.#turn());
  }

  /** Leaves everything as it is, for the next dockerd. */
  abandon(): void {
    if (this.#isFinished) return;
    this.#release();
    this.#resolve();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#release();
      this.#reject(error);
    }
  }

  #turn(): void {
    if (this.#isFinished) return;
    const { stream, hub, log, native } = this.#options;
    if (this.#isUnkept) {
      this.#passUnkept();
      return;
    }
    for (let moved = 0; ;) {
      this.#passOn();
      if (hub.isCongested) {
        this.#pause();
        hub.onRelief(() => this.start());
        return;
      }
      if (log.pendingBytes > LOG_BACKLOG_BYTES) {
        this.#pause();
        return;
      }
      if (moved >= TURN_BYTES) break;
      let bytes;
      try {
        bytes = this.#spool.take(this.#fifo, native.splice, MOVE_BYTES);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        this.#pause();
        if (this.#isLastCall) {
          this.#isUnkept = true;
          this.#passUnkept();
          return;
        }
        // A full disk holds the container up until there is room; nothing is thrown away.
        setTimeout(() => this.start(), FULL_DISK_RETRY_MS).unref();
        return;
      }
      if (bytes === null) break;
      if (bytes === 0) {
        void this.#finish(stream);
        return;
      }
      moved += bytes;
    }
    this.#stopWatching ??= native.watchReadable(this.#fifo, () => this.#guard(() => this.#turn()));
  }

  /**
   * The container has ended, and would be waited for in vain when it has filled the disk itself: what is still in the
   * FIFO then goes to whoever is attached, and into no log. (Docker loses such lines as well.)
   */
  lastCall(): void {
    this.#isLastCall = true;
    this.#options.log.giveUpOnFullDisk();
    this.start();
  }

  #passUnkept(): void {
    const { stream, hub, native, onOutput } = this.#options;
    const chunk = Buffer.allocUnsafe(MOVE_BYTES);
    for (;;) {
      let length;
      try {
        length = readSync(this.#fifo, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        this.#stopWatching ??= native.watchReadable(this.#fifo, () =>
          this.#guard(() => this.#turn()),
        );
        return;
      }
      if (length === 0) {
        void this.#finish(stream);
        return;
      }
      const bytes = Buffer.from(chunk.subarray(0, length));
      hub.write(stream, bytes);
      onOutput(bytes, this.#offset);
      this.#offset += length;
    }
  }

  /** Everything in the spool that was not passed on yet. */
  #passOn(): void {
    const { stream, hub, log, onOutput } = this.#options;
    while (this.#offset < this.#spool.consumed && !hub.isCongested) {
      const bytes = this.#spool.read(this.#offset, MOVE_BYTES);
      if (bytes.length === 0) return;
      hub.write(stream, bytes);
      onOutput(bytes, this.#offset);
      this.#offset += bytes.length;
      const time = logTime();
      log.append(this.#splitter.push(bytes).map((entry) => ({ stream, time, bytes: entry })));
    }
  }

  #onLogged(): void {
    const { stream, log } = this.#options;
    if (this.#spool.release(log.loggedOf(stream))) log.saveCheckpoint();
    if (!this.#stopWatching && log.pendingBytes <= LOG_BACKLOG_BYTES / 2) this.start();
  }

  #pause(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
  }

  async #finish(stream: StreamName): Promise<void> {
    this.#isFinished = true;
    this.#release();
    const rest = this.#splitter.finish();
    // A last line without a newline stays without one, as in Docker.
    if (rest) this.#options.log.append([{ stream, time: logTime(), bytes: rest }]);
    try {
      await this.#options.log.flush();
      this.#spool.remove();
      this.#options.log.saveCheckpoint();
      this.#resolve();
    } catch (error) {
      this.#reject(error);
    }
  }

  #release(): void {
    this.#isFinished = true;
    this.#pause();
    this.#stopLogWatch();
    this.#spool.close();
    closeSync(this.#fifo);
  }
}
