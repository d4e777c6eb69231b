/** All lessons: their cards come with this chunk, each lesson is a chunk of its own. `content/lessons` */
import type { Lesson, LessonCard } from '@engine-room/engine/protocol/lesson/lesson.ts';

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
const modules = import.meta.glob<LessonModule>('../../../../content/lessons/*/lesson.md');

export const CARDS: readonly LessonCard[] = Object.values(cards).sort(
  (a, b) => a.number - b.number,
);

export const loadLesson = async (id: string): Promise<LessonModule> => {
  const load = modules[`../../../../content/lessons/${id}/lesson.md`];
  if (!load) throw new Error(`There is no lesson "${id}".`);
  return load();
};

export const nextAfter = (id: string): LessonCard | undefined =>
  CARDS[CARDS.findIndex((card) => card.id === id) + 1];
