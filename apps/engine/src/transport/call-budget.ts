/**
 * How much of unary requests may be on its way at once on one connection.
 *
 * node:http2 does not read while it writes. When the socket's buffers are full in both directions, both ends write, so
 * neither reads, and the connection stands still for ever: a hundred containers that are started at once send enough for
 * that. What is on its way and not answered stays below the smaller of the buffers, so our end never blocks, goes on
 * reading, and the other end goes on too. socket(7), net.core.wmem_default.
 */
const LIMIT_BYTES = 96 * 1024;
/** These never wait and are not counted: one of them may be what a longer one waits for. */
const SMALL_BYTES = 1024;

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

export class CallBudget {
  #onItsWay = 0;
  readonly #waiting: Waiting[] = [];

  /** Resolves when the request may be sent, with what is to be called when it was answered. Rejects when aborted. */
  async enter(bytes: number, signal: AbortSignal): Promise<() => void> {
    if (bytes <= SMALL_BYTES) return () => undefined;
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#turn(bytes, signal);
    else this.#onItsWay += bytes;
    return () => {
      this.#onItsWay -= bytes;
      this.#next();
    };
  }

  /** A request of any length may go alone. */
  #fits(bytes: number): boolean {
    return this.#onItsWay === 0 || this.#onItsWay + bytes <= LIMIT_BYTES;
  }

  #turn(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
        this.#next();
      };
      const waiting: Waiting = {
        bytes,
        go: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** In the order in which they came. */
  #next(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#onItsWay += first.bytes;
      first.go();
    }
  }
}
