/** A phone as the presenter's clicker: two huge buttons and the caption. It can step, and nothing else. */
import { Caption } from '../panels/Caption.tsx';
import { say } from './follow.ts';
import { useFollowing } from './hooks.ts';
import { useWakeLock } from './use-wake-lock.ts';
import { w } from '../messages/room-words.ts';
import './follow.css';

export const Clicker = ({ code, secret }: { code: string; secret: string }) => {
  useFollowing(code, 'screen');
  useWakeLock();
  const click = (direction: 1 | -1) => () => say({ type: 'click', clicker: secret, direction });
  return (
    <main className="follow clicker">
      <h1>{w().clickerFor(code)}</h1>
      <Caption />
      <div className="clicker-buttons">
        <button type="button" onClick={click(-1)}>
          ← {w().clickBack}
        </button>
        <button type="button" className="primary" onClick={click(1)}>
          {w().clickOn} →
        </button>
      </div>
    </main>
  );
};
