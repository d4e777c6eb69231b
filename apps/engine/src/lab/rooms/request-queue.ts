/**
 * Requests of the audience, one after the other. Fair: who has been served less comes first, then who came first; a
 * device waits for one thing at a time, and not again at once.
 */
export interface Waiting {
  readonly id: string;
  readonly device: string;
  readonly command: string;
}

const QUEUE_LIMIT = 200;
const PAUSE_MS = 10_000;

export class RequestQueue {
  readonly #now: () => number;
  readonly #waiting: Waiting[] = [];
  readonly #served = new Map<string, { readonly count: number; readonly atMs: number }>();
  #ids = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Null when it waits now, else why not. */
  add(device: string, command: string): string | null {
    if (this.#waiting.some((each) => each.device === device))
      return 'one request at a time: yours is waiting';
    const served = this.#served.get(device);
    const leftMs = served ? served.atMs + PAUSE_MS - this.#now() : 0;
    if (leftMs > 0) return `you have just had your turn: again in ${Math.ceil(leftMs / 1000)} s`;
    if (this.#waiting.length >= QUEUE_LIMIT) return 'the queue is full: try again in a moment';
    const before = this.#waiting.findLastIndex(
      (each) => this.#count(each.device) <= this.#count(device),
    );
    this.#waiting.splice(before + 1, 0, { id: String(++this.#ids), device, command });
    return null;
  }

  /** From 1; null when it waits for nothing. */
  placeOf(device: string): number | null {
    const at = this.#waiting.findIndex((each) => each.device === device);
    return at < 0 ? null : at + 1;
  }

  next(): Waiting | null {
    const next = this.#waiting.shift() ?? null;
    if (next)
      this.#served.set(next.device, { count: this.#count(next.device) + 1, atMs: this.#now() });
    return next;
  }

  /** Takes away what is not offered any more. Answers whose it was. */
  keepOnly(commands: readonly string[]): readonly string[] {
    const gone = this.#waiting.filter(({ command }) => !commands.includes(command));
    for (const each of gone) this.#waiting.splice(this.#waiting.indexOf(each), 1);
    return gone.map(({ device }) => device);
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  #count(device: string): number {
    return this.#served.get(device)?.count ?? 0;
  }
}
