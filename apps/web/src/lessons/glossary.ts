/** The words of `content/glossary.md`; they come with the chunk of the lessons. */
import type { Term } from '@engine-room/engine/protocol/lesson/lesson.ts';

const modules = import.meta.glob<readonly Term[]>('../../../../content/glossary.md', {
  import: 'terms',
  eager: true,
});

export const TERMS: readonly Term[] = Object.values(modules).flat();

export const termOf = (name: string): Term | undefined => TERMS.find((term) => term.name === name);
