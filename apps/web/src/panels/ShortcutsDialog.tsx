/** All keys. */
import { useEffect, useRef } from 'react';
import { useReader } from '../hooks.ts';
import { readerStore, setLetterKeys } from '../reader-store.ts';
import { SHORTCUTS } from '../shortcuts.ts';

const close = (): void => readerStore.setState({ areShortcutsOpen: false });

export const ShortcutsDialog = () => {
  const isOpen = useReader((state) => state.areShortcutsOpen);
  const hasLetterKeys = useReader((state) => state.hasLetterKeys);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="shortcuts" aria-labelledby="shortcuts-title" onClose={close}>
      {isOpen && (
        <>
          <h2 id="shortcuts-title">Keys</h2>
          <dl>
            {SHORTCUTS.map(({ shown, words }) => (
              <div key={shown}>
                <dt>
                  <kbd>{shown}</kbd>
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
          <label className="shortcuts-letters">
            <input
              type="checkbox"
              checked={hasLetterKeys}
              onChange={({ target }) => setLetterKeys(target.checked)}
            />
            Keys of one letter, digit or sign
          </label>
          <p>
            <button type="button" className="primary" onClick={close}>
              Close
            </button>
          </p>
        </>
      )}
    </dialog>
  );
};
