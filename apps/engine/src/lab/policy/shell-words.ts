/**
 * Splits a command line into words as sh(1) would, and refuses what only a shell could do: nothing here is ever given
 * to a shell, so a `|` that were passed on as a word would be a lie about what happens.
 */
export interface Word {
  readonly text: string;
  /** Where the word begins in the line. */
  readonly position: number;
}

export interface WordsProblem {
  readonly problem: string;
  readonly position: number;
  /** Unfinished input may be completed by typing on; the rest is refused. */
  readonly isUnfinished: boolean;
}

const NO_SHELL = 'no shell reads this line';
const REFUSED: Readonly<Record<string, string>> = {
  '|': 'a pipe needs a shell',
  '&': 'a background job needs a shell',
  ';': 'a list of commands needs a shell',
  '<': 'a redirection needs a shell',
  '>': 'a redirection needs a shell',
  '(': 'a subshell needs a shell',
  ')': 'a subshell needs a shell',
  '`': 'a command substitution needs a shell',
  $: 'a variable needs a shell',
  '*': 'a file name pattern needs a shell',
  '?': 'a file name pattern needs a shell',
  '[': 'a file name pattern needs a shell',
  '\n': 'a second line needs a shell',
  '\r': 'a second line needs a shell',
};
const isBlank = (character: string): boolean => character === ' ' || character === '\t';
const ESCAPABLE_IN_DOUBLE_QUOTES = new Set(['"', '\\', '$', '`']);
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const BRACES = /^\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}/;

class Problem extends Error {
  readonly position: number;
  readonly isUnfinished: boolean;
  constructor(message: string, position: number, isUnfinished = false) {
    super(message);
    this.position = position;
    this.isUnfinished = isUnfinished;
  }
}

export const splitWords = (line: string): readonly Word[] | WordsProblem => {
  try {
    return split(line);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { problem: error.message, position: error.position, isUnfinished: error.isUnfinished };
  }
};

const split = (line: string): readonly Word[] => {
  const control = CONTROL.exec(line);
  if (control) throw new Problem('a control character cannot be part of a command', control.index);
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    if (isBlank(line.charAt(at))) at++;
    else {
      const { text, next } = readWord(line, at);
      words.push({ text, position: at });
      at = next;
    }
  }
  return words;
};

const readWord = (line: string, start: number): { text: string; next: number } => {
  let text = '';
  let at = start;
  while (at < line.length && !isBlank(line.charAt(at))) {
    const character = line.charAt(at);
    if (character === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) throw new Problem("a ' is not closed", at, true);
      text += line.slice(at + 1, end);
      at = end + 1;
    } else if (character === '"') {
      const quoted = readDoubleQuoted(line, at);
      text += quoted.text;
      at = quoted.next;
    } else if (character === '\\') {
      if (at + 1 >= line.length)
        throw new Problem('a \\ at the end waits for another character', at, true);
      text += line.charAt(at + 1);
      at += 2;
    } else {
      refuseShell(line, at, at === start);
      text += character;
      at++;
    }
  }
  return { text, next: at };
};

const readDoubleQuoted = (line: string, start: number): { text: string; next: number } => {
  let text = '';
  let at = start + 1;
  while (at < line.length) {
    const character = line.charAt(at);
    if (character === '"') return { text, next: at + 1 };
    if (character === '\\' && ESCAPABLE_IN_DOUBLE_QUOTES.has(line.charAt(at + 1))) {
      text += line.charAt(at + 1);
      at += 2;
    } else if (character === '$' || character === '`') {
      throw refusal(REFUSED[character] ?? '', at, "put it in '…' to mean it literally");
    } else {
      text += character;
      at++;
    }
  }
  throw new Problem('a " is not closed', start, true);
};

const refuseShell = (line: string, at: number, isFirst: boolean): void => {
  const character = line.charAt(at);
  const reason = REFUSED[character];
  if (reason) throw refusal(reason, at, `put it in '…', or run it inside: sh -c '…'`);
  if (isFirst && character === '~')
    throw refusal('a home directory needs a shell', at, "put it in '…' to mean it literally");
  if (isFirst && character === '#')
    throw refusal('a comment needs a shell', at, "put it in '…' to mean it literally");
  if (character === '{' && BRACES.test(line.slice(at))) {
    throw refusal('a brace expansion needs a shell', at, "put it in '…' to mean it literally");
  }
};

const refusal = (reason: string, position: number, advice: string): Problem =>
  new Problem(`${reason}, and ${NO_SHELL}: ${advice}`, position);

/** The word so that `splitWords` (and a shell) reads it back. */
export const quoteWord = (text: string): string =>
  /^[\w./:=@,+%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

export const quoteWords = (words: readonly string[]): string => words.map(quoteWord).join(' ');
