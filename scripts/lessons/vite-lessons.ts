/**
 * Lets the page import `lesson.md` (and `lesson.de.md`): as a module with the lesson, or with `?card` only its line in
 * the list; and the glossary. Each lesson is a chunk of its own. While one writes, the page loads again; a broken lesson shows file, line
 * and reason. `isOneFile`: there will be no server, so the recordings go into the page.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import type { Lesson, LessonCard } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { compileLesson } from './compile-lesson.ts';
import { LessonError } from './fault.ts';
import { GLOSSARY, readGlossary } from './read-glossary.ts';
import { checkTranslation, languageOf } from './translation.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RECORDING = 'recording.trace.gz';
const inCode = JSON.stringify;

export const viteLessons = ({ isOneFile = false } = {}): Plugin => ({
  name: 'lessons',
  enforce: 'pre',
  transform(source, id) {
    const [file = '', query] = id.split('?');
    const orComplain = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof LessonError)) throw error;
        return this.error({
          message: error.message,
          loc: { file: join(ROOT, error.file), line: error.faults[0]?.line ?? 1, column: 0 },
        });
      }
    };
    const glossaryFile = join(ROOT, GLOSSARY);
    if (file === glossaryFile) {
      const terms = orComplain(() => readGlossary(source));
      return { code: `export const terms = ${inCode(terms)};`, map: null };
    }
    const language = languageOf(file);
    if (language === undefined) return undefined;
    // A term that is taken out of the glossary breaks the lessons that use it.
    this.addWatchFile(glossaryFile);
    const original = join(dirname(file), 'lesson.md');
    if (language !== null) this.addWatchFile(original);
    const lesson = orComplain(() => {
      const terms = new Set(
        readGlossary(readFileSync(glossaryFile, 'utf8')).map(({ name }) => name),
      );
      const compile = (path: string, text: string): Lesson =>
        compileLesson(basename(dirname(path)), text, { file: relative(ROOT, path), terms });
      const compiled = compile(file, source);
      if (language !== null)
        checkTranslation(
          compile(original, readFileSync(original, 'utf8')),
          compiled,
          relative(ROOT, file),
        );
      return compiled;
    });
    if (query === 'card')
      return { code: `export const card = ${inCode(cardOf(lesson))};`, map: null };
    const recording = recordingOf(dirname(file), isOneFile);
    return {
      code: `${recording}\nexport { recording };\nexport const lesson = ${inCode(lesson)};`,
      map: null,
    };
  },
});

const cardOf = ({ id, number, title, question, minutes }: Lesson): LessonCard => ({
  id,
  number,
  title,
  question,
  minutes,
});

/** The address from which the page fetches it. */
const recordingOf = (folder: string, isOneFile: boolean): string => {
  const file = join(folder, RECORDING);
  if (!existsSync(file)) return 'const recording = null;';
  if (!isOneFile) return `import recording from './${RECORDING}?url';`;
  return `const recording = ${inCode(`data:application/gzip;base64,${readFileSync(file, 'base64')}`)};`;
};
