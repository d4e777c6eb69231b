/** A token bucket: a few at once, then one now and then (`refillMs`; 0 is no limit), so that nobody holds the daemons down by killing them in a loop. */
export class RateLimit {
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(burst: number, refillMs: number, now: () => number = () => performance.now()) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** Takes a token; else answers how many milliseconds to wait for one. */
  take(): number {
    if (this.#refillMs === 0) return 0;
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) / this.#refillMs);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) * this.#refillMs);
    this.#tokens -= 1;
    return 0;
  }
}
