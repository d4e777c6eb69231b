/** Dark or light: the system's choice until the reader makes one. */
import { recall, remember } from './memory.ts';

const KEY = 'engine-room.theme';

export type Theme = 'dark' | 'light';

const systemTheme = (): Theme =>
  matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

const chosen = (): Theme | null => {
  const theme = recall(KEY);
  return theme === 'dark' || theme === 'light' ? theme : null;
};

export const currentTheme = (): Theme => chosen() ?? systemTheme();

export const applyTheme = (): void => {
  document.documentElement.dataset['theme'] = currentTheme();
};

export const toggleTheme = (): Theme => {
  const next: Theme = currentTheme() === 'dark' ? 'light' : 'dark';
  remember(KEY, next);
  document.documentElement.dataset['theme'] = next;
  return next;
};
