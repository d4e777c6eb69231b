/**
 * Moves bytes from one pipe to another inside the kernel: splice(2) hands pages over, no byte passes through Node.
 *
 * A pump waits for the one side that holds it up: for the source to have bytes, or for the target to have room.
 * A file on disk takes everything at once, at an offset. It never closes a descriptor of its own accord; what the end of the source means is its owner's business.
 */
import type { Native } from '../../../../native/native.ts';

const MOVE_BYTES = 1024 * 1024;
/** Moved in one turn of the event loop, before calls get theirs. */
const TURN_BYTES = 4 * 1024 * 1024;

export class Pump {
  /** Resolves at the end of the source, when the target is gone (EPIPE), or after `stop`. Never rejects. */
  readonly finished: Promise<void>;
  readonly #native: Pick<Native, 'splice' | 'watchReadable' | 'watchWritable'>;
  readonly #from: number;
  readonly #to: number;
  /** Where in a file; null for a pipe. */
  #offset: number | null;
  #resolve: () => void = () => undefined;
  #waitsFor: 'source' | 'target' | null = null;
  #stopWatching: (() => void) | null = null;
  #isFinished = false;

  constructor(
    native: Pick<Native, 'splice' | 'watchReadable' | 'watchWritable'>,
    from: number,
    to: number,
    offset: number | null = null,
  ) {
    this.#native = native;
    this.#from = from;
    this.#to = to;
    this.#offset = offset;
    this.finished = new Promise((resolve) => (this.#resolve = resolve));
    this.#turn();
  }

  stop(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#stopWatching?.();
    this.#resolve();
  }

  #turn(): void {
    for (let moved = 0; moved < TURN_BYTES;) {
      const count = this.#move();
      if (this.#offset !== null) this.#offset += count ?? 0;
      if (count === 0) {
        this.stop();
        return;
      }
      if (count === null) {
        // EAGAIN does not say which side. Whichever we waited for is ready now, so it is the other one.
        const isTarget = moved === 0 && this.#waitsFor === 'source' && this.#offset === null;
        this.#wait(isTarget ? 'target' : 'source');
        return;
      }
      moved += count;
    }
    // More to come, but others first: whichever side is watched is ready and calls back in the next turn.
    this.#wait(this.#waitsFor ?? 'source');
  }

  /** 0 also when nobody is left to read (EPIPE), and at a pty's end, which is told as EIO. */
  #move(): number | null {
    try {
      return this.#native.splice(this.#from, this.#to, this.#offset, MOVE_BYTES);
    } catch {
      return 0;
    }
  }

  #wait(side: 'source' | 'target'): void {
    if (this.#waitsFor === side && this.#stopWatching) return;
    this.#stopWatching?.();
    this.#waitsFor = side;
    this.#stopWatching =
      side === 'source'
        ? this.#native.watchReadable(this.#from, () => this.#turn())
        : this.#native.watchWritable(this.#to, () => this.#turn());
  }
}
