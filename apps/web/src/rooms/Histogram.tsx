/** How many said what; after the reveal also what the engine says, with a mark that is not only a colour. */
import type { PollOption, RevealedPoll } from '@engine-room/engine/protocol/room/room.ts';
import { w } from '../messages/room-words.ts';

export const Histogram = ({
  options,
  counts,
  truth = null,
}: {
  options: readonly PollOption[];
  counts: Readonly<Record<string, number>>;
  truth?: string | null;
}) => {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const bars =
    options.length > 0
      ? options
      : Object.keys(counts)
          .sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0))
          .slice(0, 6)
          .map((id) => ({ id, say: id }));
  return (
    <ul className="histogram">
      {bars.map(({ id, say }) => {
        const count = counts[id] ?? 0;
        const percent = all === 0 ? 0 : Math.round((count / all) * 100);
        return (
          <li key={id} data-true={id === truth || undefined}>
            <span className="histogram-say">
              {id === truth && <span aria-hidden="true">✓ </span>}
              {say}
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
  options,
  revealed: { truth, observed, why },
}: {
  options: readonly PollOption[];
  revealed: RevealedPoll;
}) => (
  <p className="engine-says">
    {truth === null ? (
      w().engineSilent(why ?? '?')
    ) : (
      <>
        <b>{w().engineSays(options.find(({ id }) => id === truth)?.say ?? truth)}</b>{' '}
        {observed !== null && (
          <span className="muted">
            {w().engineSaw(Array.isArray(observed) ? observed.join(', ') : String(observed))}
          </span>
        )}
      </>
    )}
  </p>
);
