/** YAML checked by a schema, with the line of each fault. */
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import type { GiveFault } from './fault.ts';

interface Place {
  /** The line of the file on which the text begins. */
  readonly firstLine: number;
  readonly give: GiveFault;
}

/** The value, or null when it has faults, which have been given. */
export const readYaml = <T extends z.ZodType>(
  schema: T,
  text: string,
  { firstLine, give }: Place,
): z.output<T> | null => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    for (const { message, pos } of document.errors)
      give(firstLine + lines.linePos(pos[0]).line - 1, message.split('\n')[0] ?? message);
    return null;
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  for (const issue of flat(parsed.error.issues)) {
    const offset = offsetOf(document, issue.path);
    const where = issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ` : '';
    give(firstLine + lines.linePos(offset).line - 1, `${where}${issue.message}`);
  }
  return null;
};

type Issue = z.core.$ZodIssue;

/** Of a union, what is wrong with the alternative that comes nearest. */
const flat = (issues: readonly Issue[]): readonly Issue[] =>
  issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue];
    const nearest = issue.errors.toSorted((a, b) => a.length - b.length)[0];
    if (!nearest) return [issue];
    return flat(nearest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })));
  });

/** Where the value stands, or the nearest that has a place. */
const offsetOf = (document: Document, path: readonly PropertyKey[]): number => {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
};
