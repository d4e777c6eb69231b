/** All lessons of `content/lessons`, compiled, with their solutions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Solution } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { compileLesson } from './compile-lesson.ts';
import { LessonError, type Fault } from './fault.ts';
import { GLOSSARY, readGlossary } from './read-glossary.ts';
import { readYaml } from './read-yaml.ts';
import { checkTranslation, languageOf } from './translation.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const LESSONS = 'content/lessons';

export interface LessonFolder {
  readonly lesson: Lesson;
  readonly solution: Solution;
  /** The same in other languages, by their tags. */
  readonly translations: ReadonlyMap<string, Lesson>;
  /** Where its recording is or shall be. */
  readonly recording: string;
}

export const readLessons = (): readonly LessonFolder[] => {
  const glossary = readGlossary(readFileSync(join(ROOT, GLOSSARY), 'utf8'));
  const terms = new Set(glossary.map(({ name }) => name));
  return readdirSync(join(ROOT, LESSONS))
    .toSorted()
    .map((folder) => {
      const path = join(LESSONS, folder);
      const compile = (name: string): Lesson =>
        compileLesson(folder, read(path, name), { file: join(path, name), terms });
      const lesson = compile('lesson.md');
      const translations = new Map<string, Lesson>();
      for (const name of readdirSync(join(ROOT, path))) {
        const language = languageOf(name);
        if (typeof language !== 'string') continue;
        const translation = compile(name);
        checkTranslation(lesson, translation, join(path, name));
        translations.set(language, translation);
      }
      return {
        lesson,
        translations,
        solution: readSolution(path),
        recording: join(ROOT, path, 'recording.trace.gz'),
      };
    });
};

const read = (path: string, name: string): string => {
  const file = join(ROOT, path, name);
  if (!existsSync(file))
    throw new LessonError(join(path, name), [{ line: 1, reason: 'is missing' }]);
  return readFileSync(file, 'utf8');
};

const readSolution = (path: string): Solution => {
  const faults: Fault[] = [];
  const give = (line: number, reason: string): void => void faults.push({ line, reason });
  const solution = readYaml(Solution, read(path, 'solution.yaml'), { firstLine: 1, give });
  if (!solution) throw new LessonError(join(path, 'solution.yaml'), faults);
  return solution;
};
