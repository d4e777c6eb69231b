/** Every command by its name: Ctrl+K, some letters, Enter. A combobox with a list, as the ARIA practices describe it. */
import '../styles/palette.css';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { commandWords } from '../messages/command-words.ts';
import { Dialog } from '../panels/Dialog.tsx';
import { closeDialog } from '../reader-store.ts';
import { commandsNow, type Command } from './commands.ts';
import { search } from './search.ts';

const PAGE = 8;

export const Palette = () => (
  <Dialog name="palette" title={commandWords().palette.title}>
    <Chooser />
  </Dialog>
);

const Chooser = () => {
  const { palette, groups } = commandWords();
  // The list is of the moment in which it was opened.
  const [commands] = useState(commandsNow);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const found = search(commands, query, groups);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const chosen = found[at];
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at, query]);

  const run = (command: Command | undefined): void => {
    if (!command) return;
    closeDialog('palette');
    // The dialog gives the focus back first; a command may take it elsewhere.
    setTimeout(command.act, 0);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = {
      ArrowDown: at + 1 < found.length ? at + 1 : 0,
      ArrowUp: at > 0 ? at - 1 : found.length - 1,
      PageDown: Math.min(at + PAGE, found.length - 1),
      PageUp: Math.max(at - PAGE, 0),
      Home: event.ctrlKey ? 0 : undefined,
      End: event.ctrlKey ? found.length - 1 : undefined,
    }[event.key];
    if (event.key === 'Enter') run(chosen);
    else if (next !== undefined) setAt(Math.max(0, next));
    else return;
    event.preventDefault();
  };
  return (
    <div className="palette">
      <input
        role="combobox"
        aria-label={palette.field}
        placeholder={palette.field}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen ? `${id}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={({ target }) => {
          setQuery(target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div
        className="palette-list"
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={palette.list}
      >
        {found.map((command, index) => (
          <div
            key={command.id}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => run(command)}
            onKeyDown={onKeyDown}
            onPointerMove={() => setAt(index)}
          >
            <span className="palette-group">{groups[command.group]}</span>
            <span className="palette-words">{command.words}</span>
            {command.aside !== null &&
              (command.isKey ? (
                <kbd>{command.aside}</kbd>
              ) : (
                <span className="palette-aside mono">{command.aside}</span>
              ))}
          </div>
        ))}
      </div>
      <p className="palette-foot" role="status">
        {found.length === 0 ? palette.none : palette.count(found.length)}
      </p>
      <p className="palette-foot">{palette.hint}</p>
    </div>
  );
};
