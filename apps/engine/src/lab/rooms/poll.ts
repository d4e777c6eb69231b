/** One question to the room: an answer a device, changeable until the poll is closed, and the engine's verdict. */
import type { CheckAnswer, CheckRequest, Observation } from '../../protocol/lesson/predicate.ts';
import type { PollQuestion, RevealedPoll, RoomPoll } from '../../protocol/room/room.ts';

/** A room is a class, or a hall. */
const ANSWER_LIMIT = 10_000;
const DIGITS = /^\d{1,12}$/;

export class Poll {
  readonly question: PollQuestion;
  readonly #answers = new Map<string, string>();
  #isOpen = true;
  #revealed: RevealedPoll | null = null;

  constructor(question: PollQuestion) {
    this.question = question;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get answered(): number {
    return this.#answers.size;
  }

  answerOf(device: string): string | null {
    return this.#answers.get(device) ?? null;
  }

  /** Null when it is taken, else why not. */
  answer(device: string, say: string): string | null {
    if (!this.#isOpen) return 'the question is closed';
    const { options } = this.question;
    const isPossible =
      options.length === 0 ? DIGITS.test(say) : options.some(({ id }) => id === say);
    if (!isPossible) return 'there is no such answer';
    if (!this.#answers.has(device) && this.#answers.size >= ANSWER_LIMIT)
      return 'this room takes no more answers';
    this.#answers.set(device, say);
    return null;
  }

  close(): void {
    this.#isOpen = false;
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { id } of this.question.options) counts[id] = 0;
    for (const say of this.#answers.values()) counts[say] = (counts[say] ?? 0) + 1;
    return counts;
  }

  /** How many said what the engine says. */
  get right(): number {
    const truth = this.#revealed?.truth ?? null;
    return truth === null ? 0 : [...this.#answers.values()].filter((say) => say === truth).length;
  }

  /** Closes the question and has the engine say who was right. */
  async reveal(check: (request: CheckRequest) => Promise<CheckAnswer>): Promise<void> {
    this.close();
    const { truth, runs } = this.question;
    const predicates = truth.kind === 'choice' ? truth.rules.map(({ when }) => when) : [truth.fact];
    const { observations } = await check({ predicates, runs: { ...runs }, answers: {} });
    this.#revealed = { counts: this.counts(), ...this.#verdict(observations) };
  }

  #verdict(observations: readonly Observation[]): Pick<RevealedPoll, 'truth' | 'observed' | 'why'> {
    const { truth } = this.question;
    const [first] = observations;
    if (truth.kind === 'number') {
      const observed = first?.observed ?? null;
      return {
        truth: observed === null ? null : String(observed),
        observed,
        why: observed === null ? (first?.why ?? 'the engine has no such fact now') : null,
      };
    }
    const at = observations.findIndex(({ holds }) => holds);
    const rule = truth.rules[at];
    return {
      truth: rule?.is ?? null,
      observed: observations[at]?.observed ?? first?.observed ?? null,
      why: rule
        ? null
        : (observations.find(({ why }) => why !== null)?.why ?? 'none of the answers holds now'),
    };
  }

  /** What everybody may see: neither the truth nor who leads, before it is revealed. */
  shown(): RoomPoll {
    const { id, ask, options } = this.question;
    return { id, ask, options, isOpen: this.#isOpen, revealed: this.#revealed };
  }
}
