/**
 * Every word of the page stands in a catalogue: no component and no model writes a sentence of its own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const ROOT = 'apps/web/src';
const ELSEWHERE = /\/messages\/|\.(test|fixture)\.tsx?$/;

/** Code that the page shows as code, and names that the engine gave. */
const NO_WORDS_IN = /\/model\/(four-forms|otlp|source-text)\.ts$/;
const EVIDENCE: ReadonlySet<string> = new Set([
  'process lives on',
  'process is gone',
  'container adopted',
  'reconnected to shim',
  'client stderr',
]);
/** The same in every language. */
const UNIVERSAL: ReadonlySet<string> = new Set(['pid', 'ms', 'Esc', 'Engine Room']);
/** Attributes whose value nobody reads. */
const SILENT = /^(className|d|viewBox|type|rel|accept|id|key|role|data-.*)$/;
const SPOKEN = /^(aria-label|title|placeholder|alt|label|summary)$/;

const TWO_WORDS = /\p{L}{2,} \p{L}{2,}/u;
const LETTERS = /\p{L}{2}/u;

interface Finding {
  readonly place: string;
  readonly text: string;
}

const attributeOf = (node: ts.Node): string | null => {
  for (let at: ts.Node = node; at; at = at.parent) {
    if (ts.isJsxAttribute(at)) return at.name.getText();
    if (ts.isJsxElement(at) || ts.isSourceFile(at)) return null;
  }
  return null;
};

const isWord = (node: ts.Node): string | null => {
  if (ts.isJsxText(node)) {
    const text = node.text.trim();
    return LETTERS.test(text) && !UNIVERSAL.has(text) ? text : null;
  }
  const isText =
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node);
  if (!isText || ts.isImportDeclaration(node.parent) || EVIDENCE.has(node.text)) return null;
  // What a case asks for is a name that the engine gave.
  if (ts.isCaseClause(node.parent)) return null;
  const attribute = attributeOf(node);
  if (attribute !== null && SILENT.test(attribute)) return null;
  if (attribute !== null && SPOKEN.test(attribute) && ts.isJsxAttribute(node.parent))
    return LETTERS.test(node.text) ? node.text : null;
  // A command line is what one types in any language, and a tag is none.
  return TWO_WORDS.test(node.text) && !/^(docker |<)/.test(node.text) ? node.text : null;
};

const wordsIn = (path: string, text: string): readonly Finding[] => {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const word = isWord(node);
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    if (word !== null) found.push({ place: `${path}:${line + 1}`, text: word });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

describe('the words of the page', () => {
  test('stand in the catalogues and nowhere else', () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
      .map((path) => `${ROOT}/${path}`)
      .filter((path) => /\.tsx?$/.test(path))
      .filter((path) => !ELSEWHERE.test(path) && !NO_WORDS_IN.test(path));

    expect(files.length).toBeGreaterThan(80);
    expect(files.flatMap((path) => wordsIn(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  test.each([
    ['<p>Nothing yet</p>', 'Nothing yet'],
    ['<p>Stop</p>', 'Stop'],
    ['<button aria-label="Stop" />', 'Stop'],
    ['<p>{isOver ? "it is over" : null}</p>', 'it is over'],
    ['<p>{`${n} steps were left`}</p>', ' steps were left'],
  ])('would be found in %s', (jsx, text) => {
    expect(wordsIn('x.tsx', `export const X = () => ${jsx};`).map((found) => found.text)).toEqual([
      text,
    ]);
  });
});
