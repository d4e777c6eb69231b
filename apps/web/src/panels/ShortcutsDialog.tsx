/** All keys. */
import '../styles/keys.css';
import { t } from '../messages/catalogue.ts';
import { useReader } from '../hooks.ts';
import { closeDialog, setLetterKeys } from '../reader-store.ts';
import { SHORTCUTS } from '../shortcuts.ts';
import { Dialog } from './Dialog.tsx';

const close = (): void => closeDialog('keys');

export const ShortcutsDialog = () => {
  const hasLetterKeys = useReader((state) => state.hasLetterKeys);
  return (
    <Dialog name="keys" title={t().keys.title}>
      <dl className="keys-list">
        {SHORTCUTS.map(({ shown, words }) => (
          <div key={shown}>
            <dt>
              <kbd>{shown === ' ' ? t().keys.space : shown}</kbd>
            </dt>
            <dd>{words()}</dd>
          </div>
        ))}
      </dl>
      <label className="keys-letters">
        <input
          type="checkbox"
          checked={hasLetterKeys}
          onChange={({ target }) => setLetterKeys(target.checked)}
        />
        {t().keys.letters}
      </label>
      <p className="dialog-buttons">
        <button type="button" className="primary" onClick={close}>
          {t().keys.close}
        </button>
      </p>
    </Dialog>
  );
};
