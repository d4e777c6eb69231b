/**
 * Where requests wait when the lab has as many going on as it takes at once: first come, first served.
 * A learner has few of them in it; whoever throws their cookie away is another learner, so the line has an end as well.
 */
export interface RunLineOptions {
  /** Requests that may be going on at once. */
  readonly places: number;
  /** Requests of one learner that may wait. */
  readonly perLearner: number;
  /** How many are ahead of the learner's first one that waits; null: none waits any more. */
  readonly onMove: (learner: string, ahead: number | null) => void;
}

/** Gives the place back; a second call does nothing. */
export type Leave = () => void;

interface Waiting {
  readonly learner: string;
  readonly begin: (leave: Leave | null) => void;
}

const LONGEST = 200;

export class RunLine {
  readonly #options: RunLineOptions;
  #going = 0;
  #waiting: Waiting[] = [];

  constructor(options: RunLineOptions) {
    this.#options = options;
  }

  /** Null when the line has no room for it, or its sender went away before its turn. */
  enter(learner: string, gone?: AbortSignal): Promise<Leave | null> {
    if (gone?.aborted) return Promise.resolve(null);
    if (this.#going < this.#options.places) return Promise.resolve(this.#begin());
    const mine = this.#waiting.filter((each) => each.learner === learner);
    if (this.#waiting.length >= LONGEST || mine.length >= this.#options.perLearner)
      return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        learner,
        begin: (leave) => {
          gone?.removeEventListener('abort', give);
          resolve(leave);
        },
      };
      const give = (): void => this.#remove(waiting, null);
      gone?.addEventListener('abort', give, { once: true });
      this.#waiting.push(waiting);
      this.#tell([learner]);
    });
  }

  /** The lab stops: whoever waits is sent away, and no place that becomes free is given to anybody. */
  close(): void {
    for (const { begin } of this.#waiting.splice(0)) begin(null);
  }

  #begin(): Leave {
    this.#going += 1;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#going -= 1;
      const next = this.#waiting[0];
      if (next) this.#remove(next, this.#begin());
    };
  }

  #remove(waiting: Waiting, leave: Leave | null): void {
    const at = this.#waiting.indexOf(waiting);
    const moved = this.#waiting.slice(at).map(({ learner }) => learner);
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    waiting.begin(leave);
    this.#tell(moved);
  }

  #tell(learners: readonly string[]): void {
    for (const learner of new Set(learners)) {
      const ahead = this.#waiting.findIndex((each) => each.learner === learner);
      this.#options.onMove(learner, ahead < 0 ? null : ahead);
    }
  }
}
