/** What the presenter lets the audience run, and where one stands in the queue. */
import { say } from './follow.ts';
import { useFollow } from './hooks.ts';
import { w } from '../messages/room-words.ts';

const NONE: readonly string[] = [];

export const FollowerRequests = () => {
  const offers = useFollow(({ room }) => room?.offers ?? NONE);
  const place = useFollow(({ you }) => you?.place ?? null);
  const note = useFollow(({ you }) => you?.note ?? null);
  if (offers.length === 0) return null;
  return (
    <section className="follower-requests" aria-label={w().offers}>
      <h2>{w().offers}</h2>
      <ul>
        {offers.map((command, offer) => (
          <li key={command}>
            <button
              type="button"
              className="mono"
              aria-label={w().askFor(command)}
              onClick={() => say({ type: 'ask', offer })}
            >
              {command}
            </button>
          </li>
        ))}
      </ul>
      <p role="status">{place !== null ? w().place(place) : (note ?? '')}</p>
    </section>
  );
};
