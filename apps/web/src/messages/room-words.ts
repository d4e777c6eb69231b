/** The words of rooms; they come with the chunks of the rooms. */
import { inLanguages } from './catalogue.ts';
import { de } from './de-rooms.ts';
import { en } from './en-rooms.ts';

export const w = inLanguages({ en, de });
