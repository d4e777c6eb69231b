/** Gates as a learner may use them: only in runs of one's own, only those that there are, and not many at once. */
import { DAEMON_GATES, GATES_A_TRACE, isGate } from '../../protocol/trace/gate.ts';
import type { Learner } from '../gateway/guard.ts';
import { frozenProcess, type FrozenProcess } from './frozen-process.ts';
import type { GateKeeper, Held } from './gate-keeper.ts';

export interface GateList {
  /** All gates of the daemons; those before steps are named `runc/<call>` and `init/<call>`, with `#2`, `#3` … behind. */
  readonly gates: readonly {
    readonly gate: string;
    readonly actor: string;
    readonly words: string;
  }[];
}

export interface RunGates {
  /** Still to come. */
  readonly set: readonly string[];
  readonly held: readonly (Held & { readonly process: FrozenProcess | null })[];
}

export const gateList = (): GateList => ({
  gates: Object.entries(DAEMON_GATES).map(([gate, about]) => ({ gate, ...about })),
});

/** What is wrong with a list of gates, or null. */
export const gatesRefusal = (gates: readonly string[]): string | null => {
  if (gates.length > GATES_A_TRACE) return `at most ${GATES_A_TRACE} gates at once`;
  const unknown = gates.find((gate) => !isGate(gate));
  if (unknown === undefined) return null;
  const names = Object.keys(DAEMON_GATES).join(', ');
  return `there is no gate ${JSON.stringify(unknown.slice(0, 64))}: there are ${names}, and runc/<system call> and init/<system call>`;
};

export class GateService {
  readonly #keeper: GateKeeper;
  readonly #isRunOf: (traceId: string, learner: Learner) => boolean;

  constructor(keeper: GateKeeper, isRunOf: (traceId: string, learner: Learner) => boolean) {
    this.#keeper = keeper;
    this.#isRunOf = isRunOf;
  }

  /** Null when this learner has no such run. */
  gates(traceId: string, learner: Learner): RunGates | null {
    if (!this.#isRunOf(traceId, learner)) return null;
    return {
      set: this.#keeper.gatesOf(traceId),
      held: this.#keeper
        .heldIn(traceId)
        .map((held) => ({ ...held, process: frozenProcess(held.subjectPid) })),
    };
  }

  /** Replaces what is still to come. Precondition: `gatesRefusal` has nothing against it. */
  set(traceId: string, gates: readonly string[], learner: Learner): RunGates | null {
    if (!this.#isRunOf(traceId, learner)) return null;
    this.#keeper.set(traceId, gates);
    return this.gates(traceId, learner);
  }

  /** How many were let go; null when this learner has no such run. */
  continue(traceId: string, gate: string | undefined, learner: Learner): number | null {
    if (!this.#isRunOf(traceId, learner)) return null;
    return this.#keeper.release(traceId, 'continue', gate);
  }
}
