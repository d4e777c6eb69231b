/**
 * Lets the page import `lesson.md`: as a module with the lesson, or with `?card` only its line in the list.
 * Each lesson is a chunk of its own. While one writes, the page loads again; a broken lesson shows file, line and reason.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import type { LessonCard } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { compileLesson } from './compile-lesson.ts';
import { LessonError } from './fault.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RECORDING = 'recording.trace.gz';

export const viteLessons = (): Plugin => ({
  name: 'lessons',
  enforce: 'pre',
  transform(source, id) {
    const [file = '', query] = id.split('?');
    if (!file.endsWith('/lesson.md')) return undefined;
    const folder = dirname(file);
    const lesson = (() => {
      try {
        return compileLesson(basename(folder), source, relative(ROOT, file));
      } catch (error) {
        if (!(error instanceof LessonError)) throw error;
        return this.error({
          message: error.message,
          loc: { file, line: error.faults[0]?.line ?? 1, column: 0 },
        });
      }
    })();
    const name = JSON.stringify;
    if (query === 'card') {
      const { number, title, question, minutes } = lesson;
      const card: LessonCard = { id: lesson.id, number, title, question, minutes };
      return { code: `export const card = ${name(card)};`, map: null };
    }
    const recording = existsSync(join(folder, RECORDING))
      ? `import recording from './${RECORDING}?url';`
      : 'const recording = null;';
    return {
      code: `${recording}\nexport { recording };\nexport const lesson = ${name(lesson)};`,
      map: null,
    };
  },
});
