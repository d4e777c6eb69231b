/**
 * Finds holes in the counters of the emitters: each process numbers its events from 0, so a jump means that some
 * did not arrive (its buffer was full while the lab was away).
 */
import type { DroppedEvent, TraceEvent } from '../../protocol/trace/event.ts';
import { labEmitter } from '../lab-emitter.ts';

const REMEMBERED_EMITTERS = 4096;

export class EmitterCounters {
  readonly #next = new Map<string, number>();
  readonly #isOlderThanLab: (pid: number) => boolean;
  #dropped = 0;

  /** A process that lived before the lab has told others (or nobody) before; its first number is no hole. */
  constructor(isOlderThanLab: (pid: number) => boolean) {
    this.#isOlderThanLab = isOlderThanLab;
  }

  /** The event that tells of the hole in front of `event`, if there is one. */
  check(event: TraceEvent): DroppedEvent | null {
    const { actor, pid, n } = event.emitter;
    const key = `${actor}/${pid}`;
    const known = this.#next.get(key);
    this.#remember(key, n + 1);
    // A smaller number is another process with a reused pid.
    if (known === undefined ? n === 0 || this.#isOlderThanLab(pid) : n <= known) return null;
    return {
      type: 'dropped',
      id: `dropped/${key}/${n}/${this.#dropped++}`,
      traceId: event.traceId,
      cause: null,
      mono: event.mono,
      level: 'step',
      emitter: labEmitter(),
      actor,
      pid,
      count: n - (known ?? 0),
    };
  }

  #remember(key: string, next: number): void {
    // Re-inserting keeps the map in order of use, so the first key is the one to forget.
    this.#next.delete(key);
    this.#next.set(key, next);
    if (this.#next.size <= REMEMBERED_EMITTERS) return;
    const [oldest] = this.#next.keys();
    if (oldest !== undefined) this.#next.delete(oldest);
  }
}
