/**
 * Learning time: a strictly monotone map between the real clock and a clock that gives each step its moment.
 *
 * A run takes 100 ms, and most of its steps are microseconds apart: linear slow motion would show a blur and then
 * a wait. So each step lasts as long as the logarithm of the real gap that follows it. Both directions are exact,
 * so a position on one clock is a position on the other.
 */
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import type { HappenedOrder } from './order.ts';
import type { Steps } from './steps.ts';

/** Real time begins a little before the first event: the machine at rest. */
export const START_NS = -1_000_000;
const AFTER_END_NS = 1_000_000;

const NS_PER_MS = 1e6;
const BASE_MS = 900;
const PER_DOUBLING_MS = 420;
const DOUBLING_UNIT_MS = 0.5;
const LONGEST_MS = 2_400;
/** How much of a step is spent on the moment right after its key, before its details go by. */
const SHOW_SHARE = 0.72;

const SCALE: Readonly<Record<Level, number>> = { chapter: 1, step: 1, detail: 0.4 };

/** How long a step lasts that is followed by `gapNs` of real time until the next. */
export const dwellMs = (gapNs: number, level: Level): number => {
  const gap = Math.max(0, gapNs) / NS_PER_MS / DOUBLING_UNIT_MS;
  return SCALE[level] * Math.min(LONGEST_MS, BASE_MS + PER_DOUBLING_MS * Math.log2(1 + gap));
};

/** A step on the map, with everything that its shape was computed from. */
interface LaidStep {
  readonly key: number;
  readonly at: number;
  /** When its details begin, and when the next step does. */
  readonly following: number | undefined;
  readonly next: number;
  readonly knots: number;
}

interface Knot {
  readonly real: number;
  readonly learn: number;
}

export class Warp {
  readonly #order: HappenedOrder;
  readonly #steps: Steps;
  readonly #level: Level;
  readonly #knots: Knot[] = [{ real: START_NS, learn: 0 }];
  /** Keys that are laid down for good unless the order changes under them. */
  #laid: LaidStep[] = [];

  constructor(order: HappenedOrder, steps: Steps, level: Level) {
    this.#order = order;
    this.#steps = steps;
    this.#level = level;
  }

  /** How long a message is seen to travel, in learning time. */
  get travelMs(): { readonly least: number; readonly most: number } {
    return { least: 600 * SCALE[this.#level], most: 900 * SCALE[this.#level] };
  }

  /** Where a still picture of a step is taken: its message is under way, its details are not yet told. */
  get restMs(): number {
    return 480 * SCALE[this.#level];
  }

  get endLearn(): number {
    return this.#knots.at(-1)?.learn ?? 0;
  }

  get endReal(): number {
    return this.#knots.at(-1)?.real ?? START_NS;
  }

  toLearn(real: number): number {
    return interpolate(this.#knots, real, 'real', 'learn');
  }

  toReal(learn: number): number {
    return interpolate(this.#knots, learn, 'learn', 'real');
  }

  /** The real time at which one rests on step `step`; step 0 is the start. */
  restOf(step: number): number {
    const key = this.#steps.keyOf(step);
    const at = key === undefined ? undefined : this.#order.placed[key]?.at;
    return at === undefined ? START_NS : this.toReal(this.toLearn(at) + this.restMs);
  }

  /** Extends the map over new steps; what stands before the first changed step stays as it was. */
  refresh(): void {
    const { placed } = this.#order;
    const { keys } = this.#steps;
    let same = 0;
    while (same < this.#laid.length && this.#isStill(same)) same += 1;
    // The last step laid was stretched to the end of what was known then, so it is laid again.
    same = Math.max(0, Math.min(same, keys.length) - 1);
    this.#laid = this.#laid.slice(0, same);
    this.#knots.length = this.#laid.at(-1)?.knots ?? 1;
    if (this.#knots.length === 1) this.#push(0, SCALE[this.#level] * BASE_MS * 0.5);
    for (let index = same; index < keys.length; index += 1) {
      const key = keys[index] ?? 0;
      const at = placed[key]?.at ?? 0;
      if (index === 0 && at > 0) this.#push(at, dwellMs(at, this.#level));
      const nextKey = keys[index + 1];
      const end =
        nextKey === undefined
          ? (placed.at(-1)?.at ?? at) + AFTER_END_NS
          : (placed[nextKey]?.at ?? at + 1);
      const dwell = dwellMs(end - at, this.#level);
      const following = placed[key + 1]?.at;
      if (following !== undefined && following < end) {
        this.#push(following, dwell * SHOW_SHARE);
        this.#push(end, dwell * (1 - SHOW_SHARE));
      } else {
        this.#push(end, dwell);
      }
      this.#laid.push({ key, at, following, next: end, knots: this.#knots.length });
    }
    const end = (placed.at(-1)?.at ?? START_NS) + AFTER_END_NS;
    if (keys.length === 0 && placed.length > 0) this.#push(end, dwellMs(end, this.#level));
  }

  #isStill(index: number): boolean {
    const laid = this.#laid[index];
    const key = this.#steps.keys[index];
    const next = this.#steps.keys[index + 1];
    return (
      laid !== undefined &&
      laid.key === key &&
      this.#order.placed[laid.key]?.at === laid.at &&
      this.#order.placed[laid.key + 1]?.at === laid.following &&
      next !== undefined &&
      this.#order.placed[next]?.at === laid.next
    );
  }

  #push(real: number, lasts: number): void {
    this.#knots.push({ real, learn: this.endLearn + lasts });
  }
}

function interpolate(
  knots: readonly Knot[],
  value: number,
  from: keyof Knot,
  to: keyof Knot,
): number {
  const first = knots[0];
  const last = knots.at(-1);
  if (!first || !last || value <= first[from]) return first?.[to] ?? 0;
  if (value >= last[from]) return last[to];
  let low = 0;
  let high = knots.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((knots[middle]?.[from] ?? Infinity) <= value) low = middle;
    else high = middle;
  }
  const a = knots[low] ?? first;
  const b = knots[high] ?? last;
  const share = (value - a[from]) / (b[from] - a[from]);
  return a[to] + share * (b[to] - a[to]);
}
