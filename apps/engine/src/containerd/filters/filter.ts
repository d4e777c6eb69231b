/**
 * containerd's filter language: `namespace==moby,topic~=|^/tasks/|`.
 *
 *   selectors := selector ("," selector)*          all must match
 *   selector  := fieldpath (operator value)?       without an operator: the field is present
 *   fieldpath := field ("." field)*                a field is a word or a quoted string
 *   operator  := "==" | "!=" | "~="                "~=" takes a regular expression, quoted by " / or |
 *
 * A request carries a list of filters; one of them must match. An empty list matches everything.
 * Upstream: containerd pkg/filters.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { FilterScanner } from './scanner.ts';

/** The value of a field of the thing that is being filtered; undefined when it has no such field. */
export type FieldLookup = (fieldpath: readonly string[]) => string | undefined;
export type Filter = (lookup: FieldLookup) => boolean;

type Operator = 'present' | '==' | '!=' | '~=';

interface Selector {
  readonly fieldpath: readonly string[];
  readonly operator: Operator;
  readonly value: string;
}

/** Longer filters than any client writes; a bound on what a regular expression can cost. */
const FILTER_LIMIT = 4096;

/** Any of the filters; none at all means everything. */
export const compileFilters = (filters: readonly string[]): Filter => {
  if (filters.length === 0) return () => true;
  const compiled = filters.map(compileFilter);
  return (lookup) => compiled.some((matches) => matches(lookup));
};

/** For lookups below a map of labels: `labels."com.example"==x`, `labels.foo`. */
export const lookupLabel = (
  labels: Readonly<Record<string, string>>,
  fieldpath: readonly string[],
): string | undefined => {
  const key = fieldpath.join('.');
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
};

const compileFilter = (text: string): Filter => {
  if (text === '') return () => true;
  if (text.length > FILTER_LIMIT) throw invalid(text.slice(0, 64), 0, 'filter is too long');
  const selectors = parseSelectors(text).map((selector) => compileSelector(text, selector));
  return (lookup) => selectors.every((matches) => matches(lookup));
};

const compileSelector = (text: string, { fieldpath, operator, value }: Selector): Filter => {
  switch (operator) {
    case 'present':
      return (lookup) => lookup(fieldpath) !== undefined;
    case '==':
      return (lookup) => lookup(fieldpath) === value;
    case '!=':
      // As upstream, where a field that is not there is the empty string: `parent!=""`.
      return (lookup) => (lookup(fieldpath) ?? '') !== value;
    case '~=': {
      const expression = compileExpression(text, value);
      return (lookup) => {
        const found = lookup(fieldpath);
        return found !== undefined && expression.test(found);
      };
    }
  }
};

const compileExpression = (text: string, value: string): RegExp => {
  try {
    return new RegExp(value, 'u');
  } catch {
    throw invalid(text, text.indexOf(value), 'error parsing regexp');
  }
};

const parseSelectors = (text: string): Selector[] => {
  const scanner = new FilterScanner(text);
  const selectors = [parseSelector(text, scanner)];
  for (let token = scanner.next(); token.kind !== 'end'; token = scanner.next()) {
    if (token.kind !== 'separator' || token.text !== ',') {
      throw invalid(text, token.position, `unexpected input: ${token.text}`);
    }
    selectors.push(parseSelector(text, scanner));
  }
  return selectors;
};

const parseSelector = (text: string, scanner: FilterScanner): Selector => {
  const fieldpath = [parseField(text, scanner)];
  while (scanner.peek() === '.') {
    scanner.next();
    fieldpath.push(parseField(text, scanner));
  }
  if (scanner.peek() === ',' || scanner.peek() === '') {
    return { fieldpath, operator: 'present', value: '' };
  }
  const operator = scanner.next();
  if (operator.kind !== 'operator') {
    throw invalid(text, operator.position, 'expected an operator ("=="|"!="|"~=")');
  }
  if (operator.text !== '==' && operator.text !== '!=' && operator.text !== '~=') {
    throw invalid(text, operator.position, `unsupported operator "${operator.text}"`);
  }
  const value = scanner.next();
  if (value.kind === 'quoted') {
    if (value.quote !== '"' && operator.text !== '~=') {
      throw invalid(text, value.position, 'invalid quote encountered');
    }
    return { fieldpath, operator: operator.text, value: value.text };
  }
  if (value.kind !== 'value' && value.kind !== 'field') {
    throw invalid(text, value.position, 'expected value or quoted');
  }
  return { fieldpath, operator: operator.text, value: value.text };
};

const parseField = (text: string, scanner: FilterScanner): string => {
  const token = scanner.next();
  if (token.kind === 'field') return token.text;
  if (token.kind === 'quoted' && token.quote === '"') return token.text;
  throw invalid(text, token.position, 'expected field or quoted');
};

/** Points at the place of the mistake, as containerd does. */
const invalid = (text: string, position: number, problem: string): EngineError => {
  const where =
    position < text.length
      ? `[${text.slice(0, position)} >|${text[position] ?? ''}|< ${text.slice(position + 1)}]`
      : `[${text}]`;
  return new EngineError('invalid_argument', `filters: parse error: ${where}: ${problem}`);
};
