/** Cuts a filter into words. Upstream: containerd pkg/filters/scanner.go, quote.go. */
import { EngineError } from '../../protocol/errdefs.ts';

export type FilterToken =
  | {
      readonly kind: 'field' | 'value' | 'operator' | 'separator' | 'unknown';
      readonly text: string;
      readonly position: number;
    }
  | {
      readonly kind: 'quoted';
      readonly text: string;
      readonly quote: string;
      readonly position: number;
    }
  | { readonly kind: 'end'; readonly text: ''; readonly position: number };

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const DIGITS: Readonly<Record<string, { radix: number; count: number }>> = {
  x: { radix: 16, count: 2 },
  u: { radix: 16, count: 4 },
  U: { radix: 16, count: 8 },
};

export class FilterScanner {
  readonly #input: string;
  #position = 0;
  /** After an operator everything up to a comma or a space is the value. */
  #valueExpected = false;

  constructor(input: string) {
    this.#input = input;
  }

  /** The next character that is not a space; empty at the end. */
  peek(): string {
    this.#skipSpaces();
    return this.#input[this.#position] ?? '';
  }

  next(): FilterToken {
    const first = this.peek();
    const position = this.#position;
    if (first === '') return { kind: 'end', text: '', position };
    if (first === '"' || first === '/' || first === '|') {
      // `/` and `|` are quotes only where a value stands: a path is written without quotes nowhere else.
      this.#valueExpected = false;
      return { kind: 'quoted', text: this.#quoted(first), quote: first, position };
    }
    if (first === ',' || first === '.') {
      if (!this.#valueExpected || first === ',') {
        this.#valueExpected = false;
        this.#position += 1;
        return { kind: 'separator', text: first, position };
      }
    }
    if (/[=!~]/.test(first)) {
      this.#valueExpected = true;
      return { kind: 'operator', text: this.#take(/[=!~]/), position };
    }
    if (this.#valueExpected) {
      this.#valueExpected = false;
      return { kind: 'value', text: this.#take(/[^\s,]/), position };
    }
    if (/[A-Za-z0-9_]/.test(first))
      return { kind: 'field', text: this.#take(/[A-Za-z0-9_]/), position };
    this.#position += 1;
    return { kind: 'unknown', text: first, position };
  }

  #skipSpaces(): void {
    while (/\s/.test(this.#input[this.#position] ?? '')) this.#position += 1;
  }

  #take(allowed: RegExp): string {
    const start = this.#position;
    while (this.#position < this.#input.length && allowed.test(this.#input[this.#position] ?? '')) {
      this.#position += 1;
    }
    return this.#input.slice(start, this.#position);
  }

  #quoted(quote: string): string {
    let text = '';
    this.#position += 1;
    for (;;) {
      const character = this.#input[this.#position];
      if (character === undefined || character === '\n')
        throw this.#bad('quoted literal not terminated');
      this.#position += 1;
      if (character === quote) return text;
      // Inside | or / only the quote itself is escaped, so that a regular expression keeps its backslashes.
      if (character !== '\\') text += character;
      else text += quote === '"' ? this.#escape() : this.#alternativeEscape(quote);
    }
  }

  #alternativeEscape(quote: string): string {
    const escaped = this.#input[this.#position] ?? '';
    this.#position += 1;
    return escaped === quote ? quote : `\\${escaped}`;
  }

  #escape(): string {
    const escaped = this.#input[this.#position] ?? '';
    this.#position += 1;
    if (escaped === '"') return '"';
    const simple = ESCAPES[escaped];
    if (simple !== undefined) return simple;
    const digits = DIGITS[escaped] ?? (/[0-7]/.test(escaped) ? { radix: 8, count: 3 } : undefined);
    if (!digits) throw this.#bad('illegal escape sequence');
    const start = digits.radix === 8 ? this.#position - 1 : this.#position;
    const number = this.#input.slice(start, start + digits.count);
    const code =
      /^[0-9a-fA-F]+$/.test(number) && number.length === digits.count
        ? parseInt(number, digits.radix)
        : NaN;
    if (!(code <= 0x10ffff)) throw this.#bad('illegal numeric escape sequence');
    this.#position = start + digits.count;
    return String.fromCodePoint(code);
  }

  #bad(problem: string): EngineError {
    return new EngineError(
      'invalid_argument',
      `filters: parse error: [${this.#input}]: ${problem}`,
    );
  }
}
