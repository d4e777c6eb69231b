/** Dark or light: the system's choice until the reader makes one. */
const KEY = 'engine-room.theme';

export type Theme = 'dark' | 'light';

const systemTheme = (): Theme =>
  matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

const chosen = (): Theme | null => {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'dark' || theme === 'light' ? theme : null;
  } catch {
    return null;
  }
};

export const currentTheme = (): Theme => chosen() ?? systemTheme();

export const applyTheme = (): void => {
  document.documentElement.dataset['theme'] = currentTheme();
};

export const toggleTheme = (): Theme => {
  const next: Theme = currentTheme() === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not kept then.
  }
  document.documentElement.dataset['theme'] = next;
  return next;
};
