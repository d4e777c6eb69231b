/**
 * Every word of the page in the language that the reader reads. English is part of the first load; another language is
 * fetched when it is wanted. What the engine says (names of spans, titles of system calls, errors) is evidence and
 * stays as the engine said it.
 */
import { createStore } from 'zustand/vanilla';
import { again } from '../again.ts';
import { recall, remember } from '../memory.ts';
import { en } from './en.ts';
import type { Messages, Translated } from './messages.ts';

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = 'engine-room.language';

const isLanguage = (word: string | null): word is Language =>
  LANGUAGES.some((language) => language === word);

export const languageStore = createStore<{
  readonly language: Language;
  readonly messages: Messages;
}>(() => ({ language: 'en', messages: en }));

/** The words of now. Asked for each time, never kept: the language may change. */
export const t = (): Messages => languageStore.getState().messages;

const load = async (language: Language): Promise<Messages> =>
  language === 'de' ? (await again(() => import('./de.ts'))).de : en;

const show = async (language: Language): Promise<void> => {
  const messages = await load(language);
  document.documentElement.lang = language;
  languageStore.setState({ language, messages });
};

/** `?lang=` says it, else an earlier choice, else the browser. */
export const wantedLanguage = (
  search: string,
  chosen: string | null,
  spoken: readonly string[],
): Language => {
  const asked = new URLSearchParams(search).get('lang');
  if (isLanguage(asked)) return asked;
  if (isLanguage(chosen)) return chosen;
  return spoken.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';
};

/** Before anything is drawn. Words that cannot be fetched are no reason to show nothing. */
export const startLanguage = async (): Promise<void> => {
  try {
    await show(wantedLanguage(location.search, recall(KEY), navigator.languages));
  } catch {
    // English is there.
  }
};

export const chooseLanguage = async (language: Language): Promise<void> => {
  await show(language);
  remember(KEY, language);
  const url = new URL(location.href);
  if (url.searchParams.has('lang')) {
    url.searchParams.set('lang', language);
    history.replaceState(null, '', url);
  }
};

/** Words that come with a chunk of their own, in all languages at once: they are few, and the first load has no need of them. */
export const inLanguages = <W extends object>(words: {
  readonly en: W;
  readonly de: NoInfer<Translated<W>>;
}) =>
  Object.assign((): Translated<W> => words[languageStore.getState().language] as Translated<W>, {
    words,
  });
