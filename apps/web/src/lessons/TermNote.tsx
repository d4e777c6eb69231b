/** A word of the glossary: what it means shows where it stands, on a tap, by key, or as a tooltip. */
import { useId, useState } from 'react';
import { termOf } from './glossary.ts';

export const TermNote = ({ name, text }: { name: string; text: string }) => {
  const id = useId();
  const [isOpen, setIsOpen] = useState(false);
  const term = termOf(name);
  if (!term) return text;
  return (
    <>
      <button
        type="button"
        className="term"
        title={isOpen ? undefined : term.means}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        onKeyDown={({ key }) => key === 'Escape' && setIsOpen(false)}
      >
        {text}
      </button>
      <span id={id} className="term-note" hidden={!isOpen} role="note">
        {term.means}{' '}
        <a href={term.source.href} rel="noreferrer" target="_blank">
          {term.source.say}
        </a>
      </span>
    </>
  );
};
