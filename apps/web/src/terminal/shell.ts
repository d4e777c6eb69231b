/**
 * What the terminal does with what is typed: at the prompt it edits a line, while a run goes on it waits for it, and in
 * a container everything goes to the program there. It is no shell: it knows docker commands, as the page does.
 */
import type { Terminal } from '@xterm/xterm';
import { t } from '../messages/catalogue.ts';
import { hintFor } from '../panels/command-hints.ts';
import { sendRequest, stopRun, terminalLine } from '../session.ts';
import { ExecLine } from './exec-line.ts';
import { cellsOf, Prompt, wantsTerminal } from './prompt.ts';
import { printRun } from './run-output.ts';

const PROMPT = '\u001b[1m$\u001b[0m ';
const PROMPT_CELLS = 2;
/** Whatever a program has switched on is off again: DECSTR, no mouse, a visible cursor. */
const RESET = '\u001b[!p\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?2004l\u001b[?25h\u001b[0m';

/** Not when it is not on: it would also put the cursor where it was once. */
const LEAVE_ALTERNATE = '\u001b[?1049l';

/** Keys or pastes; who types more blindly than that does not mean it. */
const MOST_AHEAD = 4096;

export class Shell {
  readonly #terminal: Terminal;
  readonly #prompt = new Prompt();
  /** Of the line at the prompt. */
  #drawnCells = 0;
  #exec: ExecLine | null = null;
  /** The run that is waited for; '' as long as it has no name. */
  #running: string | null = null;
  /** What was typed meanwhile: it is for the prompt that comes, as at every terminal. */
  #ahead: string[] = [];

  /** `first` is at the first prompt, as if it had been typed. */
  constructor(terminal: Terminal, first: string) {
    this.#terminal = terminal;
    terminal.onData((data) => this.#take(data));
    terminal.onResize(({ cols, rows }) => this.#exec?.resize(cols, rows));
    this.#say(t().terminal.welcome);
    this.#ask();
    if (first !== '') this.#take(first.replaceAll(/\p{Cc}/gu, ' '));
  }

  /** Somebody else has the keyboard's Tab: a program in a container. */
  get isInContainer(): boolean {
    return this.#exec !== null;
  }

  close(): void {
    this.#exec?.close();
  }

  #take(data: string): void {
    if (this.#exec) return this.#exec.type(data);
    if (this.#running !== null) {
      if (data === '\u0003') this.#interrupt(this.#running);
      else if (this.#ahead.length < MOST_AHEAD) this.#ahead.push(data);
      return;
    }
    const typed = this.#prompt.take(data);
    if (typed?.kind === 'edit') this.#draw(typed.line);
    if (typed?.kind === 'cancel') {
      this.#terminal.write('^C\r\n');
      this.#ask();
    }
    if (typed?.kind !== 'enter') return;
    this.#terminal.write('\r\n');
    if (typed.line === '') return this.#ask();
    if (wantsTerminal(typed.line)) this.#enter(typed.line);
    else void this.#run(typed.line);
  }

  /** Over what stood there, which may be several rows of a narrow terminal. */
  #draw(line: string): void {
    const rows = Math.ceil((PROMPT_CELLS + this.#drawnCells) / this.#terminal.cols) - 1;
    const up = rows > 0 ? `\u001b[${rows}A` : '';
    this.#terminal.write(`${up}\r\u001b[J${PROMPT}${line}`);
    this.#drawnCells = cellsOf(line);
  }

  #interrupt(run: string): void {
    this.#ahead = [];
    if (run !== '') void stopRun(run);
  }

  async #run(line: string): Promise<void> {
    this.#running = '';
    const hint = hintFor(line);
    if (hint) return this.#end(hint.message);
    const answer = await sendRequest(line);
    if (!answer) return this.#end(t().terminal.busy);
    if ('message' in answer) return this.#end(answer.message);
    this.#running = answer.traceId;
    const code = await printRun(answer.traceId, (output) => this.#terminal.write(output));
    this.#end(code === null || code === 0 ? null : t().status.exit(code));
  }

  #enter(command: string): void {
    const socket = terminalLine();
    if (!socket) return this.#end(t().connection.unreachable);
    this.#exec = new ExecLine(socket, {
      command,
      columns: this.#terminal.cols,
      rows: this.#terminal.rows,
      onOutput: (bytes) => this.#terminal.write(bytes),
      onEnd: (words) => {
        this.#exec = null;
        this.#running = '';
        this.#end(words);
      },
    });
  }

  #end(words: string | null): void {
    // What was printed is drawn first: only then it is known where the cursor is, and on which screen.
    this.#terminal.write('', () => {
      const isElsewhere = this.#terminal.buffer.active.type === 'alternate';
      this.#terminal.write(RESET + (isElsewhere ? LEAVE_ALTERNATE : ''), () => {
        this.#running = null;
        this.#newLine();
        if (words !== null) this.#say(words);
        this.#ask();
        for (const data of this.#ahead.splice(0)) this.#take(data);
      });
    });
  }

  #say(words: string): void {
    this.#terminal.write(`\u001b[2m${words.replace(/\p{Cc}/gu, ' ')}\u001b[0m\r\n`);
  }

  #newLine(): void {
    if (this.#terminal.buffer.active.cursorX > 0) this.#terminal.write('\r\n');
  }

  #ask(): void {
    this.#drawnCells = 0;
    this.#terminal.write(PROMPT);
  }
}
