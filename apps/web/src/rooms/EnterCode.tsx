/** Where one types the two words. */
import type { FormEvent } from 'react';
import { w } from '../messages/room-words.ts';
import './follow.css';

export const EnterCode = ({ problem }: { problem: string | null }) => {
  const join = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('code');
    const code = (typeof typed === 'string' ? typed : '')
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '-');
    if (code !== '') location.assign(`/room/${encodeURIComponent(code)}`);
  };
  return (
    <main className="follow enter-code">
      <h1>Engine Room</h1>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <form onSubmit={join}>
        <label>
          {w().enterCode}
          <input name="code" autoComplete="off" autoCapitalize="none" spellCheck={false} required />
        </label>
        <button type="submit" className="primary">
          {w().join}
        </button>
      </form>
    </main>
  );
};
