/** The other language of the page, named in itself. */
import { useStore } from 'zustand';
import { chooseLanguage, languageStore, type Language } from '../messages/catalogue.ts';

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

/** The page is drawn anew in the other language; whoever chose it is still here. */
let hasFocus = false;

export const LanguageChoice = () => {
  const other = useStore(languageStore, ({ language }) => (language === 'en' ? 'de' : 'en'));
  return (
    <button
      type="button"
      lang={other}
      ref={(element) => {
        if (hasFocus) element?.focus();
        if (element) hasFocus = false;
      }}
      onClick={() => {
        hasFocus = true;
        void chooseLanguage(other);
      }}
    >
      {LANGUAGE_NAMES[other]}
    </button>
  );
};
