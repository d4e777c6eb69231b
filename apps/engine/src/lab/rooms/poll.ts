/** One question to the room: an answer a device, changeable until the poll is closed, and the engine's verdict. */
import type { CheckAnswer, CheckRequest, Observation } from '../../protocol/lesson/predicate.ts';
import {
  ORDER_SEPARATOR,
  type PollQuestion,
  type RevealedPoll,
  type RoomPoll,
} from '../../protocol/room/room.ts';

/** A room is a class, or a hall. */
const ANSWER_LIMIT = 10_000;
const DIGITS = /^\d{1,12}$/;
/** So many different numbers or orders are worth a bar of their own. */
const BARS = 6;

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
    if (!this.#isPossible(say)) return 'there is no such answer';
    if (!this.#answers.has(device) && this.#answers.size >= ANSWER_LIMIT)
      return 'this room takes no more answers';
    this.#answers.set(device, say);
    return null;
  }

  #isPossible(say: string): boolean {
    const { truth, options } = this.question;
    const ids = options.map(({ id }) => id);
    if (truth.kind === 'number') return DIGITS.test(say);
    if (truth.kind === 'choice') return ids.includes(say);
    return say.split(ORDER_SEPARATOR).sort().join() === ids.sort().join();
  }

  close(): void {
    this.#isOpen = false;
  }

  counts(): Readonly<Record<string, number>> {
    const { truth, options } = this.question;
    const counts = new Map<string, number>();
    if (truth.kind === 'choice') for (const { id } of options) counts.set(id, 0);
    for (const say of this.#answers.values()) counts.set(say, (counts.get(say) ?? 0) + 1);
    if (truth.kind === 'choice' || counts.size <= BARS) return Object.fromEntries(counts);
    const sorted = [...counts].sort(([, a], [, b]) => b - a);
    const others = sorted.slice(BARS).reduce((sum, [, count]) => sum + count, 0);
    return Object.fromEntries([...sorted.slice(0, BARS), ['', others]]);
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
    if (truth.kind !== 'choice') {
      const observed = first?.observed ?? null;
      return {
        truth: observed === null ? null : [observed].flat().map(String).join(ORDER_SEPARATOR),
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
    const { id, ask, options, truth } = this.question;
    return { id, kind: truth.kind, ask, options, isOpen: this.#isOpen, revealed: this.#revealed };
  }
}
