/**
 * state(n) = fold(events ≤ n). Any n may be asked for in any order: a snapshot every 64 events keeps each answer cheap.
 * An event that arrives late makes the snapshots behind it worthless, and they are forgotten.
 */
import { apply } from './apply.ts';
import { MACHINE_AT_REST, type Machine } from './machine.ts';
import type { HappenedOrder } from './order.ts';

const SNAPSHOT_EVERY = 64;
const RECENT_KEPT = 8;

export class Fold {
  readonly #order: HappenedOrder;
  /** #snapshots[i] is the machine after i * SNAPSHOT_EVERY events. */
  readonly #snapshots: Machine[] = [MACHINE_AT_REST];
  /** The last answer: the next question is mostly about the event after it. */
  #latest: Machine = MACHINE_AT_REST;
  /** The last few answers, so that the same question gets the same object. */
  readonly #recent = new Map<number, Machine>();

  constructor(order: HappenedOrder) {
    this.#order = order;
  }

  at(n: number): Machine {
    const { placed } = this.#order;
    const wanted = Math.max(0, Math.min(n, placed.length));
    const known = this.#recent.get(wanted);
    if (known) return known;
    let machine = this.#nearest(wanted);
    for (let index = machine.n; index < wanted; index += 1) {
      const next = placed[index];
      if (!next) break;
      machine = apply(machine, next);
      if (machine.n % SNAPSHOT_EVERY === 0) this.#snapshots[machine.n / SNAPSHOT_EVERY] ??= machine;
    }
    this.#latest = machine;
    this.#remember(machine);
    return machine;
  }

  /** Everything from the event at `firstChanged` on has to be folded again. */
  invalidate(firstChanged: number): void {
    this.#snapshots.length = Math.min(
      this.#snapshots.length,
      Math.floor(firstChanged / SNAPSHOT_EVERY) + 1,
    );
    if (this.#latest.n > firstChanged) this.#latest = MACHINE_AT_REST;
    for (const n of this.#recent.keys()) if (n > firstChanged) this.#recent.delete(n);
  }

  #remember(machine: Machine): void {
    this.#recent.set(machine.n, machine);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > RECENT_KEPT && oldest !== undefined) this.#recent.delete(oldest);
  }

  #nearest(n: number): Machine {
    const snapshot =
      this.#snapshots[Math.min(Math.floor(n / SNAPSHOT_EVERY), this.#snapshots.length - 1)];
    const base = snapshot ?? MACHINE_AT_REST;
    return this.#latest.n <= n && this.#latest.n > base.n ? this.#latest : base;
  }
}
