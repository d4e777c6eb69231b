/** A key and what it does, in words: the same in the list of keys and in the palette. */
import { t } from '../messages/catalogue.ts';
import { commandWords } from '../messages/command-words.ts';
import type { Shortcut } from '../shortcuts.ts';

export const actWords = ({ name, pace }: Shortcut): string => {
  const words = commandWords().acts[name];
  return typeof words === 'string' ? words : words(pace ? t().transport.paces[pace] : '');
};

export const keyWords = ({ shown }: Shortcut): string =>
  shown === ' ' ? commandWords().keys.space : shown;
