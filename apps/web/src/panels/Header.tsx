/** The title, what the line to the engine is like, and the few things that are not about the run. */
import { useStore } from 'zustand';
import { t } from '../messages/catalogue.ts';
import { useReader, useTraces } from '../hooks.ts';
import { openDialog, openLesson, toggleProjector } from '../reader-store.ts';
import { present } from '../rooms/start.ts';
import { usePresent } from '../rooms/use-present.ts';
import { PALETTE_KEY } from '../shortcuts.ts';
import { themeStore, toggleTheme } from '../theme.ts';
import { LanguageChoice } from './LanguageChoice.tsx';
import { Toolbar } from '../ui/Toolbar.tsx';
import { ConnectionChip } from './ConnectionChip.tsx';

export const Header = () => {
  const theme = useStore(themeStore, (state) => state.theme);
  const isProjector = useReader((state) => state.isProjector);
  const isLearning = useReader(({ lesson }) => lesson !== null);
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const isPresenting = usePresent(({ opened }) => opened !== null);
  const words = t().header;
  return (
    <header className="header">
      <h1>Engine Room</h1>
      <p className="tagline">{words.tagline}</p>
      <ConnectionChip />
      <Toolbar className="header-tools" label={words.tools}>
        <button
          type="button"
          aria-pressed={isLearning}
          onClick={() => openLesson(isLearning ? null : '')}
        >
          {words.lessons}
        </button>
        {isLive && !isPresenting && (
          <button type="button" onClick={() => void present()}>
            {words.present}
          </button>
        )}
        <button type="button" className="keys keys-commands" onClick={() => openDialog('palette')}>
          {words.commands} <kbd>{PALETTE_KEY}</kbd>
        </button>
        <button type="button" className="keys" onClick={() => openDialog('keys')}>
          {words.keys} <kbd>?</kbd>
        </button>
        <button type="button" className="keys" aria-pressed={isProjector} onClick={toggleProjector}>
          {words.projector}
        </button>
        <LanguageChoice />
        <button type="button" onClick={toggleTheme}>
          {theme === 'dark' ? words.light : words.dark}
        </button>
      </Toolbar>
    </header>
  );
};
