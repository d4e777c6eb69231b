/** The bus of one lab alone: what is published is delivered at once, in order, without a copy. */
import type { Bus, BusMessage } from './bus.ts';

export class InProcessBus implements Bus {
  readonly #takers = new Map<string, Set<(message: BusMessage) => void>>();

  publish(subject: string, message: BusMessage): void {
    for (const take of this.#takers.get(subject) ?? []) take(message);
  }

  subscribe(subject: string, take: (message: BusMessage) => void): () => void {
    const takers = this.#takers.get(subject) ?? new Set();
    this.#takers.set(subject, takers.add(take));
    return () => {
      takers.delete(take);
      if (takers.size === 0) this.#takers.delete(subject);
    };
  }

  /** There is no line that could break. */
  onReturn(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    this.#takers.clear();
    return Promise.resolve();
  }
}
