/** All keys. */
import '../styles/keys.css';
import { commandWords } from '../messages/command-words.ts';
import { useReader } from '../hooks.ts';
import { closeDialog, setLetterKeys } from '../reader-store.ts';
import { actWords, keyWords } from '../palette/act-words.ts';
import { SHORTCUTS } from '../shortcuts.ts';
import { Dialog } from './Dialog.tsx';

const close = (): void => closeDialog('keys');

export const ShortcutsDialog = () => {
  const hasLetterKeys = useReader((state) => state.hasLetterKeys);
  const words = commandWords().keys;
  return (
    <Dialog name="keys" title={words.title}>
      <dl className="keys-list">
        {SHORTCUTS.map((shortcut) => (
          <div key={shortcut.shown}>
            <dt>
              <kbd>{keyWords(shortcut)}</kbd>
            </dt>
            <dd>{actWords(shortcut)}</dd>
          </div>
        ))}
      </dl>
      <label className="keys-letters">
        <input
          type="checkbox"
          checked={hasLetterKeys}
          onChange={({ target }) => setLetterKeys(target.checked)}
        />
        {words.letters}
      </label>
      <p className="dialog-buttons">
        <button type="button" className="primary" onClick={close}>
          {words.close}
        </button>
      </p>
    </Dialog>
  );
};
