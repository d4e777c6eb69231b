/** Dark or light: the system's choice until the reader makes one. */
import { createStore } from 'zustand/vanilla';
import { recall, remember } from './memory.ts';

const KEY = 'engine-room.theme';

export type Theme = 'dark' | 'light';

const systemTheme = (): Theme =>
  matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

const chosen = (): Theme | null => {
  const theme = recall(KEY);
  return theme === 'dark' || theme === 'light' ? theme : null;
};

export const themeStore = createStore<{ readonly theme: Theme }>(() => ({ theme: 'dark' }));

const show = (theme: Theme): void => {
  document.documentElement.dataset['theme'] = theme;
  themeStore.setState({ theme });
};

export const applyTheme = (): void => show(chosen() ?? systemTheme());

export const toggleTheme = (): void => {
  const next: Theme = themeStore.getState().theme === 'dark' ? 'light' : 'dark';
  remember(KEY, next);
  show(next);
};
