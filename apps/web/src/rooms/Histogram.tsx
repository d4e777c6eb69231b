/** How many said what; after the reveal also what the engine says, with a mark that is not only a colour. */
import type { RevealedPoll } from '@engine-room/engine/protocol/room/room.ts';
import { w } from '../messages/room-words.ts';
import { answerWords, type Asked } from './answer-words.ts';

export const Histogram = ({
  poll,
  counts,
  truth = null,
}: {
  poll: Asked;
  counts: Readonly<Record<string, number>>;
  truth?: string | null;
}) => {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  // Whatever was said rarely stands last, together.
  const rank = (answer: string): number => (answer === '' ? -1 : (counts[answer] ?? 0));
  const bars =
    poll.kind === 'choice'
      ? poll.options.map(({ id }) => id)
      : Object.keys(counts).sort((a, b) => rank(b) - rank(a));
  return (
    <ul className="histogram">
      {bars.map((id) => {
        const count = counts[id] ?? 0;
        const percent = all === 0 ? 0 : Math.round((count / all) * 100);
        return (
          <li key={id} data-true={id === truth || undefined}>
            <span className="histogram-say">
              {id === truth && <span aria-hidden="true">✓ </span>}
              {answerWords(poll, id)}
            </span>
            <span className="histogram-count">{w().votes(count, percent)}</span>
            <span className="histogram-bar" aria-hidden="true">
              <span style={{ width: `${percent}%` }} />
            </span>
          </li>
        );
      })}
    </ul>
  );
};

/** What the engine says, in one sentence with its evidence. */
export const EngineSays = ({
  poll,
  revealed: { truth, observed, why },
}: {
  poll: Asked;
  revealed: RevealedPoll;
}) => (
  <p className="engine-says">
    {truth === null ? (
      w().engineSilent(why ?? '?')
    ) : (
      <>
        <b>{w().engineSays(answerWords(poll, truth))}</b>{' '}
        {observed !== null && (
          <span className="muted">
            {w().engineSaw(Array.isArray(observed) ? observed.join(', ') : String(observed))}
          </span>
        )}
      </>
    )}
  </p>
);
