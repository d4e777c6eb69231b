/** A modal dialog: the browser's own, so that focus, Escape and the rest of the page behave. What is closed is not there. */
import '../styles/dialog.css';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { useReader } from '../hooks.ts';
import { closeDialog, type DialogName } from '../reader-store.ts';

interface DialogProps {
  readonly name: DialogName;
  readonly title: string;
  readonly children: ReactNode;
}

export const Dialog = ({ name, title, children }: DialogProps) => {
  const isOpen = useReader(({ dialog }) => dialog === name);
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (isOpen) element.current?.showModal();
    else element.current?.close();
  }, [isOpen]);
  const onClose = (): void => closeDialog(name);
  return (
    <dialog
      ref={element}
      className="dialog"
      data-dialog={name}
      aria-labelledby={titleId}
      onClose={onClose}
    >
      {isOpen && (
        <>
          <h2 id={titleId}>{title}</h2>
          {children}
        </>
      )}
    </dialog>
  );
};
