/**
 * The line at the prompt: what is typed becomes a command line, with Backspace, history and Ctrl+C. Only characters and
 * the keys that are named here count: what a program made the terminal answer by itself (cursor reports and the like)
 * must never become a command.
 */
export type Typed =
  | { readonly kind: 'edit'; readonly line: string }
  | { readonly kind: 'enter'; readonly line: string }
  | { readonly kind: 'cancel' };

const LONGEST_LINE = 4096;
const HISTORY_KEPT = 100;

const UP = '\u001b[A';
const DOWN = '\u001b[B';
const CTRL_C = '\u0003';
const CTRL_U = '\u0015';

const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u;
const NARROW = /^\p{ASCII}*$/u;

/** How many cells of a terminal the line takes. */
export const cellsOf = (line: string): number =>
  NARROW.test(line)
    ? line.length
    : Array.from(line).reduce(
        (cells, each) => cells + (/\p{Mn}/u.test(each) ? 0 : WIDE.test(each) ? 2 : 1),
        0,
      );

export class Prompt {
  #line = '';
  readonly #history: string[] = [];
  #at = 0;

  get line(): string {
    return this.#line;
  }

  /** Null when the input means nothing here. */
  take(data: string): Typed | null {
    if (data === '\r') return this.#enter();
    if (data === CTRL_C) {
      this.#line = '';
      return { kind: 'cancel' };
    }
    if (data === CTRL_U) return this.#edit('');
    if (data === '\u007f' || data === '\b')
      return this.#edit(Array.from(this.#line).slice(0, -1).join(''));
    if (data === UP || data === DOWN) return this.#recall(data === UP ? -1 : 1);
    // Several lines that are pasted are one: nothing runs before somebody has seen it and presses Enter.
    const text = data.replace(/[\r\n\t]+/g, ' ');
    if (text === '' || /[\p{Cc}\p{Cf}]/u.test(text)) return null;
    return this.#edit((this.#line + text).slice(0, LONGEST_LINE));
  }

  #edit(line: string): Typed {
    this.#line = line;
    return { kind: 'edit', line };
  }

  #enter(): Typed {
    const line = this.#line.trim();
    this.#line = '';
    if (line !== '' && this.#history.at(-1) !== line) this.#history.push(line);
    if (this.#history.length > HISTORY_KEPT) this.#history.shift();
    this.#at = this.#history.length;
    return { kind: 'enter', line };
  }

  #recall(step: -1 | 1): Typed {
    this.#at = Math.max(0, Math.min(this.#history.length, this.#at + step));
    return this.#edit(this.#history[this.#at] ?? '');
  }
}

/** `docker exec -it NAME sh` wants a terminal; everything else is a request like any other. */
export const wantsTerminal = (line: string): boolean => {
  const [program, verb, ...words] = line.trim().split(/\s+/);
  if (program !== 'docker' || verb !== 'exec') return false;
  const first = words.findIndex((word) => !word.startsWith('-'));
  const flags = words.slice(0, first === -1 ? words.length : first).join(' ');
  return /(^| )(-[a-z]*t|--tty)/.test(flags) && /(^| )(-[a-z]*i|--interactive)/.test(flags);
};
