/** The step keys of a level: where in the happened order its events stand. Step 0 is "before anything happened". */
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import { isShownAt } from './levels.ts';
import type { HappenedOrder } from './order.ts';

export class Steps {
  /** Indexes into the happened order, rising. */
  readonly keys: number[] = [];
  readonly level: Level;
  readonly #order: HappenedOrder;
  #covered = 0;

  constructor(order: HappenedOrder, level: Level) {
    this.#order = order;
    this.level = level;
  }

  get count(): number {
    return this.keys.length;
  }

  /** The step that is going on after `n` events: 0 before the first. */
  stepAfter(n: number): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] ?? Infinity) < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place of step `step` (counted from 1) in the happened order. */
  keyOf(step: number): number | undefined {
    return this.keys[step - 1];
  }

  /** Looks again at everything from `firstChanged` on. */
  refresh(firstChanged: number): void {
    const from = Math.min(firstChanged, this.#covered);
    while ((this.keys.at(-1) ?? -1) >= from) this.keys.pop();
    const { placed } = this.#order;
    for (let index = from; index < placed.length; index += 1) {
      const event = placed[index]?.event;
      if (event && isShownAt(event, this.level)) this.keys.push(index);
    }
    this.#covered = placed.length;
  }
}
