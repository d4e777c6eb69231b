/** `content/glossary.md` → its terms: each a heading, what it means, and a line with the source that has the word. */
import type { Term } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import { LessonError, type Fault } from './fault.ts';

export const GLOSSARY = 'content/glossary.md';

const SOURCE = /^Source: \[([^\]]+)\]\((https:\/\/[^\s)]+)\)$/;

/** Throws a LessonError with everything that is wrong. */
export const readGlossary = (text: string): readonly Term[] => {
  const faults: Fault[] = [];
  const terms: Term[] = [];
  let line = 1;
  for (const part of text.split(/^(?=## )/m)) {
    if (part.startsWith('## ')) terms.push(readTerm(part, line, faults));
    line += part.split('\n').length - 1;
  }
  const names = terms.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (index > 0 && name.localeCompare(names[index - 1] ?? '', 'en') <= 0)
      faults.push({ line: 1, reason: `"${name}" is not in the order of the alphabet, or twice` });
  }
  if (terms.length === 0) faults.push({ line: 1, reason: 'a glossary needs terms: ## and a word' });
  if (faults.length > 0) throw new LessonError(GLOSSARY, faults);
  return terms;
};

const readTerm = (part: string, line: number, faults: Fault[]): Term => {
  const [heading = '', ...rest] = part.trimEnd().split('\n');
  const name = heading.slice('## '.length);
  const [, say, href] = SOURCE.exec(rest.at(-1) ?? '') ?? [];
  const means = rest.slice(0, -1).join('\n').trim();
  if (say === undefined || href === undefined)
    faults.push({ line, reason: `"${name}" must end with "Source: [name](https://…)"` });
  else if (means === '') faults.push({ line, reason: `"${name}" has no meaning` });
  return { name, means, source: { say: say ?? '', href: href ?? '' } };
};
