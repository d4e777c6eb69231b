/** The terminal in the dock: docker commands of the page, and programs in containers. Shift+Tab and Esc Esc leave it. */
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

export const TerminalPanel = () => {
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const field = useRef<HTMLDivElement>(null);
  useEffect(() => (field.current && isLive ? openIn(field.current) : undefined), [isLive]);
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

function openIn(field: HTMLElement): () => void {
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
  const shell = new Shell(terminal);
  terminal.attachCustomKeyEventHandler(leavesWith(shell, () => leave(terminal, field)));
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
function leave(terminal: Terminal, field: HTMLElement): void {
  terminal.blur();
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
