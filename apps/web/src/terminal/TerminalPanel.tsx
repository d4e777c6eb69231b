/** The terminal, in the dock and in lessons: docker commands of the page, and programs in containers. Shift+Tab and Esc Esc leave it. */
import '@xterm/xterm/css/xterm.css';
import '../styles/terminal.css';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { useEffect, useRef } from 'react';
import { t } from '../messages/catalogue.ts';
import { useTraces } from '../hooks.ts';
import { Shell } from './shell.ts';
import { withoutStyleElements } from './style-sheets.ts';

const SCROLLBACK_LINES = 5_000;
const TWICE_MS = 600;

interface Place {
  /** What stands at its first prompt; nothing runs before somebody presses Enter. */
  readonly first?: string;
  /** Where the focus goes; without it, to the tab that shows this. */
  readonly onLeave?: () => void;
}

export const TerminalPanel = ({ first, onLeave }: Place) => {
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const field = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      field.current && isLive
        ? openIn(field.current, {
            ...(first === undefined ? {} : { first }),
            ...(onLeave ? { onLeave } : {}),
          })
        : undefined,
    [isLive, first, onLeave],
  );
  return (
    <div className="terminal">
      {isLive ? (
        <div ref={field} className="terminal-field" role="group" aria-label={t().terminal.label} />
      ) : (
        <p className="empty">{t().terminal.noEngine}</p>
      )}
      <p className="terminal-leave">{t().terminal.leave}</p>
    </div>
  );
};

function openIn(field: HTMLElement, { first = '', onLeave }: Place): () => void {
  const terminal = new Terminal({
    theme: themeOf(field),
    fontFamily: getComputedStyle(field).getPropertyValue('--mono'),
    fontSize: 13,
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: true,
    convertEol: true,
    cursorBlink: false,
    // A program may print links; nobody follows them from here.
    linkHandler: { activate: () => undefined },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  withoutStyleElements(() => terminal.open(field));
  fit.fit();
  const shell = new Shell(terminal, first);
  const leave = (): void => {
    terminal.blur();
    if (onLeave) onLeave();
    else toTab(field);
  };
  terminal.attachCustomKeyEventHandler(leavesWith(shell, leave));
  const sizes = new ResizeObserver(() => fit.fit());
  sizes.observe(field);
  const themes = new MutationObserver(() => {
    terminal.options.theme = themeOf(field);
  });
  themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  terminal.focus();
  return () => {
    sizes.disconnect();
    themes.disconnect();
    shell.close();
    terminal.dispose();
  };
}

/** xterm takes every key, Tab too: WCAG 2.1.2 wants a way out. At the prompt Tab has no other use. */
function leavesWith(shell: Shell, leave: () => void): (event: KeyboardEvent) => boolean {
  let escapedAt = -Infinity;
  return ({ type, key, shiftKey, timeStamp }) => {
    if (key === 'Tab') return shell.isInContainer && !shiftKey;
    if (key !== 'Escape' || type !== 'keydown') return true;
    const isSecond = timeStamp - escapedAt < TWICE_MS;
    escapedAt = timeStamp;
    if (!isSecond) return true;
    leave();
    return false;
  };
}

/** To the tab that shows this. */
function toTab(field: HTMLElement): void {
  const tab = field.closest('[role="tabpanel"]')?.getAttribute('aria-labelledby');
  document.getElementById(tab ?? '')?.focus();
}

function themeOf(element: HTMLElement) {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    background: colour('--background'),
    foreground: colour('--text'),
    cursor: colour('--focus'),
    selectionBackground: colour('--outline'),
  };
}
