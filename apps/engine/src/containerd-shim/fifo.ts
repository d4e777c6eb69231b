/**
 * The FIFOs that a client (dockerd) made for a task's stdio. fifo(7)
 *
 * The shim holds both ends of each. So a client that dies is no EPIPE and no end of file: its container's output waits
 * in the FIFO, the container waits with it when the FIFO is full, and the next client goes on where the last one stopped.
 */
import { constants, lstatSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';

type FifoNative = Pick<Native, 'open' | 'close'>;

const { O_RDONLY, O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

const checkIsFifo = (path: string): void => {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) throw new EngineError('not_found', `fifo ${path}: no such file or directory`);
  if (!status.isFIFO()) throw new EngineError('invalid_argument', `${path} is not a fifo`);
};

export class Fifo {
  readonly #native: FifoNative;
  #reader: number | null;
  #writer: number | null;

  constructor(native: FifoNative, path: string) {
    checkIsFifo(path);
    this.#native = native;
    // The reader first: a writer that does not wait is refused while nobody reads.
    this.#reader = native.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    this.#writer = native.open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  }

  get reader(): number {
    if (this.#reader === null) throw new EngineError('internal', 'fifo is closed');
    return this.#reader;
  }

  get writer(): number {
    if (this.#writer === null) throw new EngineError('internal', 'fifo is closed');
    return this.#writer;
  }

  /**
   * Readers see the end once they have read what is in it. What nobody has read yet stays, for a FIFO keeps its bytes
   * as long as somebody has it open.
   */
  closeWriter(): void {
    if (this.#writer !== null) this.#native.close(this.#writer);
    this.#writer = null;
  }

  close(): void {
    this.closeWriter();
    if (this.#reader !== null) this.#native.close(this.#reader);
    this.#reader = null;
  }
}
