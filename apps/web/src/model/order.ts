/**
 * Happened order: the order in which things were, not the order in which the page heard of them.
 *
 * Every process stamps its events with CLOCK_MONOTONIC, which is one clock for the whole machine (clock_gettime(2)).
 * A cause is never later than its effect: where two stamps disagree by a few nanoseconds, the effect is moved.
 * Ties go by `seq`. Times are nanoseconds since the first event, as numbers: they fit a double for 104 days.
 */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';

export interface Placed {
  readonly event: SequencedEvent;
  /** Nanoseconds since the first event of the trace; strictly increasing along the order. */
  readonly at: number;
}

interface Entry {
  readonly event: SequencedEvent;
  readonly mono: bigint;
  /** Own clock or just after the cause, whichever is later. */
  causal: number;
}

/** Events of one trace, sorted as they happened. Takes them in any order and any number of times. */
export class HappenedOrder {
  #placed: Placed[] = [];
  #lastEntry: Entry | null = null;
  #origin = 0n;
  readonly #entries = new Map<string, Entry>();
  readonly #indexes = new Map<string, number>();
  /** Causes that were named but have not arrived. */
  readonly #awaited = new Set<string>();

  get placed(): readonly Placed[] {
    return this.#placed;
  }

  /** CLOCK_MONOTONIC of the first event. */
  get origin(): bigint {
    return this.#origin;
  }

  /** Takes more events in. Answers the first place in the order that is new or different (the length when none is). */
  add(events: readonly SequencedEvent[]): number {
    const news: Entry[] = [];
    let replaced = false;
    for (const event of events) {
      const known = this.#entries.get(event.id);
      if (known && known.event.seq <= event.seq) continue;
      if (known) replaced = true;
      const entry: Entry = { event, mono: BigInt(event.mono), causal: 0 };
      this.#entries.set(event.id, entry);
      news.push(entry);
    }
    if (news.length === 0) return this.#placed.length;
    const length = this.#placed.length;
    news.sort(byClock);
    if (!replaced && this.#append(news)) return length;
    return this.#rebuild();
  }

  indexOf(id: string): number | undefined {
    return this.#indexes.get(id);
  }

  /** How many events have happened at this time. */
  countAt(at: number): number {
    let low = 0;
    let high = this.#placed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#placed[middle]?.at ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The usual case: everything new is later than everything known. False (and nothing done) otherwise. */
  #append(news: readonly Entry[]): boolean {
    const first = news[0];
    if (!first) return true;
    const origin = this.#lastEntry ? this.#origin : first.mono;
    let last = this.#lastEntry;
    const seen = new Set<string>();
    for (const entry of news) {
      if (entry.mono < origin || this.#awaited.has(entry.event.id)) return false;
      const { cause } = entry.event;
      const causeEntry = cause === null ? undefined : this.#entries.get(cause);
      if (cause !== null && causeEntry && !this.#indexes.has(cause) && !seen.has(cause))
        return false;
      const own = Number(entry.mono - origin);
      entry.causal = causeEntry ? Math.max(own, causeEntry.causal + 1) : own;
      if (last && byCause(last, entry) > 0) return false;
      seen.add(entry.event.id);
      last = entry;
    }
    this.#origin = origin;
    for (const entry of news) this.#push(entry);
    return true;
  }

  #rebuild(): number {
    const before = this.#placed;
    const entries = [...this.#entries.values()].sort(byClock);
    this.#origin = entries[0]?.mono ?? 0n;
    this.#correct(entries);
    entries.sort(byCause);
    this.#placed = [];
    this.#lastEntry = null;
    this.#indexes.clear();
    this.#awaited.clear();
    for (const entry of entries) this.#push(entry);
    const now = this.#placed;
    const same = before.findIndex((placed, index) => {
      const other = now[index];
      return !other || other.event !== placed.event || other.at !== placed.at;
    });
    return same === -1 ? before.length : same;
  }

  /** Moves every effect behind its cause. A ring of causes (a damaged file) is cut where it was entered. */
  #correct(entries: readonly Entry[]): void {
    const done = new Set<Entry>();
    for (const start of entries) {
      const chain: Entry[] = [];
      const onChain = new Set<Entry>();
      let entry: Entry | undefined = start;
      while (entry && !done.has(entry) && !onChain.has(entry)) {
        chain.push(entry);
        onChain.add(entry);
        entry = entry.event.cause === null ? undefined : this.#entries.get(entry.event.cause);
      }
      let above: Entry | undefined = entry && done.has(entry) ? entry : undefined;
      for (const link of chain.reverse()) {
        const own = Number(link.mono - this.#origin);
        link.causal = above ? Math.max(own, above.causal + 1) : own;
        done.add(link);
        above = link;
      }
    }
  }

  #push(entry: Entry): void {
    const previous = this.#placed.at(-1);
    const at = previous ? Math.max(entry.causal, previous.at + 1) : entry.causal;
    this.#indexes.set(entry.event.id, this.#placed.length);
    this.#placed.push({ event: entry.event, at });
    this.#lastEntry = entry;
    this.#awaited.delete(entry.event.id);
    const { cause } = entry.event;
    if (cause !== null && !this.#indexes.has(cause)) this.#awaited.add(cause);
  }
}

const byClock = (a: Entry, b: Entry): number =>
  a.mono < b.mono ? -1 : a.mono > b.mono ? 1 : a.event.seq - b.event.seq;

const byCause = (a: Entry, b: Entry): number => a.causal - b.causal || a.event.seq - b.event.seq;
