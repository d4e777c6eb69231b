/** The words of rooms in the language of the page. */
import { de } from './words-de.ts';
import { en } from './words-en.ts';

/** The same keys, the same parameters, other words. */
export type RoomWords = {
  readonly [Key in keyof typeof en]: (typeof en)[Key] extends (...given: infer Given) => string
    ? (...given: Given) => string
    : string;
};

/** Asked for each time, never kept: the language may change. */
export const w = (): RoomWords => (document.documentElement.lang === 'de' ? de : en);
