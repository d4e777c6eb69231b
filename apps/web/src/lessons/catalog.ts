/**
 * All lessons: their cards come with this chunk, each lesson is a chunk of its own. `content/lessons`
 * `lesson.de.md` is the same lesson in another language; where it is missing, the original is shown, and the page says so.
 */
import type { Lesson, LessonCard } from '@engine-room/engine/protocol/lesson/lesson.ts';
import { words } from '../messages/lesson-words.ts';

/** What `scripts/lessons/vite-lessons.ts` makes of a `lesson.md`. */
export interface LessonModule {
  readonly lesson: Lesson;
  /** The address of its recorded runs. */
  readonly recording: string | null;
}

const cards = import.meta.glob<LessonCard>('../../../../content/lessons/*/lesson.md', {
  query: '?card',
  import: 'card',
  eager: true,
});
const translatedCards = import.meta.glob<LessonCard>('../../../../content/lessons/*/lesson.*.md', {
  query: '?card',
  import: 'card',
  eager: true,
});
const modules = import.meta.glob<LessonModule>('../../../../content/lessons/*/lesson.md');
const translations = import.meta.glob<LessonModule>('../../../../content/lessons/*/lesson.*.md');

const ORIGINAL = 'en';
const folder = (id: string): string => `../../../../content/lessons/${id}`;

/** The language of the page, as its `<html lang>` says. */
export const languageOfPage = (): string => document.documentElement.lang.slice(0, 2);

export const CARDS: readonly LessonCard[] = Object.values(cards).sort(
  (a, b) => a.number - b.number,
);

export const cardsIn = (language: string): readonly LessonCard[] =>
  CARDS.map((card) => translatedCards[`${folder(card.id)}/lesson.${language}.md`] ?? card);

export const loadLesson = async (id: string, language: string): Promise<LessonModule> => {
  const load =
    translations[`${folder(id)}/lesson.${language}.md`] ?? modules[`${folder(id)}/lesson.md`];
  if (!load) throw new Error(words().unknownLesson(id));
  return load();
};

export const lacksTranslation = (id: string, language: string): boolean =>
  language !== ORIGINAL && translations[`${folder(id)}/lesson.${language}.md`] === undefined;

export const nextAfter = (id: string, language: string): LessonCard | undefined =>
  cardsIn(language)[CARDS.findIndex((card) => card.id === id) + 1];
