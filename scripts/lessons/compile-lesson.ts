/**
 * `lesson.md` → a lesson as data. Markdown with directives (remark-directive) is read, a closed list of its kinds is
 * kept, and everything else is an error with file, line and reason: raw HTML cannot come through, nor can code.
 */
import { FrontMatter } from '../../apps/engine/src/protocol/lesson/front-matter.ts';
import type { Lesson } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { checkReferences } from './check-references.ts';
import { readScreens } from './read-screens.ts';
import { readYaml } from './read-yaml.ts';
import type { Fault } from './fault.ts';
import { LessonError } from './fault.ts';

const FENCE = /^---\n([\s\S]*?\n)---\n/;
const FOLDER = /^(\d{3})-[a-z0-9-]+$/;

interface Surroundings {
  /** What an error shall name. */
  readonly file: string;
  /** The words of the glossary. */
  readonly terms: ReadonlySet<string>;
}

/** `folder` is the lesson's id. Throws a LessonError with everything that is wrong. */
export const compileLesson = (
  folder: string,
  source: string,
  { file, terms }: Surroundings,
): Lesson => {
  const faults: Fault[] = [];
  const give = (line: number, reason: string): void => void faults.push({ line, reason });
  const number = FOLDER.exec(folder)?.[1];
  if (number === undefined)
    give(1, `the folder ${folder} must be named like 003-create-is-not-start`);
  const head = FENCE.exec(source);
  if (!head) {
    give(1, 'a lesson begins with front matter between two lines of ---');
    throw new LessonError(file, faults);
  }
  const matter = readYaml(FrontMatter, head[1] ?? '', { firstLine: 2, give });
  const bodyLine = head[0].split('\n').length;
  const screens = readScreens(source.slice(head[0].length), { firstLine: bodyLine, terms, give });
  if (matter) checkReferences(matter, screens, give);
  if (!matter || faults.length > 0) throw new LessonError(file, faults);
  return {
    id: folder,
    number: Number(number),
    ...matter,
    screens: screens.map(({ screen }) => screen),
  };
};
