/** The title, what the line to the engine is like, and the few things that are not about the run. */
import { useState } from 'react';
import { useReader, useTraces } from '../hooks.ts';
import { openLesson, readerStore } from '../reader-store.ts';
import { present } from '../rooms/start.ts';
import { usePresent } from '../rooms/use-present.ts';
import { currentTheme, toggleTheme } from '../theme.ts';
import { ConnectionChip } from './ConnectionChip.tsx';

export const Header = () => {
  const [theme, setTheme] = useState(currentTheme);
  const isLearning = useReader(({ lesson }) => lesson !== null);
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const isPresenting = usePresent(({ opened }) => opened !== null);
  const canPresent = isLive && !isPresenting;
  const other = theme === 'dark' ? 'Light' : 'Dark';
  return (
    <header className="header">
      <h1>Engine Room</h1>
      <p className="tagline">a real docker run, hop by hop</p>
      <ConnectionChip />
      <button
        type="button"
        aria-pressed={isLearning}
        onClick={() => openLesson(isLearning ? null : '')}
      >
        Lessons
      </button>
      {canPresent && (
        <button type="button" onClick={() => void present()}>
          Present
        </button>
      )}
      <button
        type="button"
        className="keys"
        onClick={() => readerStore.setState({ areShortcutsOpen: true })}
      >
        Keys <kbd>?</kbd>
      </button>
      <button type="button" onClick={() => setTheme(toggleTheme())}>
        {other}
      </button>
    </header>
  );
};
