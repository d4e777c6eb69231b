/** Which trace tells of a container's life: the one in which its process was born, which may not be the one that created it. */
import type { TraceStore } from '../collector/trace-store.ts';
import type { LivingContainer } from './targets.ts';

/** More containers than a learner may have; the oldest are forgotten. */
const KEPT = 256;

const keyOf = (containerId: string, pid: number): string => `${containerId}/${pid}`;

export class ContainerTraces {
  readonly #store: TraceStore;
  readonly #bornIn = new Map<string, string>();
  readonly #stopListening: () => void;

  constructor(store: TraceStore) {
    this.#store = store;
    this.#stopListening = store.listen({
      onEvent: (traceId, _seq, _line, event) => {
        if (event.type !== 'process' || event.actor !== 'container' || event.change !== 'fork')
          return;
        if (event.containerId === undefined) return;
        // `docker exec` gives a container more processes, in traces of their own.
        this.#bornIn.set(keyOf(event.containerId, event.process.pid), traceId);
        const [oldest] = this.#bornIn.keys();
        if (this.#bornIn.size > KEPT && oldest !== undefined) this.#bornIn.delete(oldest);
      },
    });
  }

  /** A container from before this lab's start is in the oldest trace that names it. */
  of({ id, init }: LivingContainer): string | undefined {
    return (
      this.#bornIn.get(keyOf(id, init.pid)) ??
      this.#store.summaries().findLast(({ containerIds }) => containerIds.includes(id))?.traceId
    );
  }

  close(): void {
    this.#stopListening();
  }
}
