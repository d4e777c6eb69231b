/** A command to begin with, and the page's terminal to type it and others: docker commands, under the page's policy. */
import { Suspense, useCallback, useId, useRef, useState, type ReactNode } from 'react';
import { useTraces } from '../hooks.ts';
import { lazy } from '../lazy.ts';
import type { Here } from './Blocks.tsx';
import { usesRecording } from './lesson-session.ts';
import { words } from '../messages/lesson-words.ts';

const TerminalPanel = lazy(() =>
  import('../terminal/TerminalPanel.tsx').then(({ TerminalPanel: component }) => ({
    default: component,
  })),
);

export const TerminalBlock = ({
  command,
  here: { lesson },
  children,
}: {
  command: string;
  here: Here;
  children: ReactNode;
}) => {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const leave = useCallback(() => opener.current?.focus(), []);
  useTraces(({ connection }) => connection.state);
  const needsEngine = usesRecording(lesson.id);
  return (
    <div className="block block-terminal">
      {children}
      <pre className="prose-code" tabIndex={0}>
        $ {command}
      </pre>
      {needsEngine ? (
        <p className="muted">{words().noEngine}</p>
      ) : (
        <>
          <p className="block-acts">
            <button
              ref={opener}
              type="button"
              aria-expanded={isOpen}
              aria-controls={id}
              onClick={() => setIsOpen(!isOpen)}
            >
              {isOpen ? words().closeTerminal : words().openTerminal}
            </button>
          </p>
          <div id={id}>
            <Suspense>{isOpen && <TerminalPanel first={command} onLeave={leave} />}</Suspense>
          </div>
        </>
      )}
    </div>
  );
};
