/** What the audience may run: nothing, until it is ticked. The lab's policy has the last word on each. */
import { say } from './present.ts';
import { usePresent } from './use-present.ts';
import { w } from '../messages/room-words.ts';

const COMMANDS = [
  'docker run --rm busybox echo hello',
  'docker run --rm hello-world',
  'docker ps',
  'docker images',
  'docker version',
];
const NONE: readonly string[] = [];

export const Offers = () => {
  const offers = usePresent(({ room }) => room?.offers ?? NONE);
  const waiting = usePresent(({ crowd }) => crowd?.queue.length ?? 0);
  return (
    <details className="present-offers" open={offers.length > 0}>
      <summary>
        {w().requests}
        {waiting > 0 && <b> · {w().waiting(waiting)}</b>}
      </summary>
      <p className="muted">{w().requestsHint}</p>
      {COMMANDS.map((command) => (
        <label key={command}>
          <input
            type="checkbox"
            checked={offers.includes(command)}
            onChange={({ target }) =>
              say({
                type: 'offer',
                commands: COMMANDS.filter((each) =>
                  each === command ? target.checked : offers.includes(each),
                ),
              })
            }
          />{' '}
          <span className="mono">{command}</span>
        </label>
      ))}
    </details>
  );
};
