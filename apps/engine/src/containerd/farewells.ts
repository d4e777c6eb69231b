/**
 * What is left to do when whoever asked has been answered. The shim of a deleted task leaves, and then its address and
 * its bundle are free again: only the next task of that name needs them. The folder of a removed snapshot goes: nobody
 * needs that. Whoever deleted them has other things to ask of us first.
 */
import { setTimeout } from 'node:timers/promises';

const PAUSE_MS = 20;

interface Farewell {
  readonly said: Promise<void>;
  readonly hurry: () => void;
}

export class Farewells {
  readonly #going = new Map<string, Farewell>();

  /** `say` never rejects. Precondition: none is said for this key. */
  begin(key: string, say: () => Promise<void>): void {
    const pause = new AbortController();
    const said = setTimeout(PAUSE_MS, undefined, { signal: pause.signal })
      .catch(() => undefined)
      .then(say)
      .then(() => void this.#going.delete(key));
    this.#going.set(key, { said, hurry: () => pause.abort() });
  }

  /** Resolves when nothing is held under this key. */
  async hurry(key: string): Promise<void> {
    const farewell = this.#going.get(key);
    farewell?.hurry();
    await farewell?.said;
  }

  /** Resolves when all have left. */
  async settled(): Promise<void> {
    await Promise.all([...this.#going.keys()].map((key) => this.hurry(key)));
  }
}
