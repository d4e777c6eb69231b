/** One interactive exec over the lab's line: what is typed goes there, what the program writes comes back. */
import type { TerminalAnswer, TerminalWord } from '@engine-room/engine/protocol/trace/terminal.ts';
import { t } from '../messages/catalogue.ts';

interface ExecLineOptions {
  readonly command: string;
  readonly columns: number;
  readonly rows: number;
  readonly onOutput: (bytes: Uint8Array) => void;
  /** A sentence about how it ended. */
  readonly onEnd: (words: string) => void;
}

export class ExecLine {
  readonly #socket: WebSocket;
  #words: string | null = null;
  /** What has to wait until the program is there; null from then on. */
  #ahead: TerminalWord[] | null = [];

  constructor(socket: WebSocket, { command, columns, rows, onOutput, onEnd }: ExecLineOptions) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#send({ type: 'open', command, columns, rows }));
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (typeof data !== 'string') return onOutput(new Uint8Array(data));
      const answer = answerOf(data);
      if (answer?.type === 'opened') this.#begin();
      this.#words = wordsOf(answer) ?? this.#words;
    });
    socket.addEventListener('close', () => onEnd(this.#words ?? t().terminal.lost));
  }

  type(text: string): void {
    this.#say({ type: 'input', text });
  }

  resize(columns: number, rows: number): void {
    this.#say({ type: 'resize', columns, rows });
  }

  close(): void {
    this.#socket.close();
  }

  #begin(): void {
    const ahead = this.#ahead ?? [];
    this.#ahead = null;
    for (const word of ahead) this.#send(word);
  }

  #say(word: TerminalWord): void {
    if (this.#ahead) this.#ahead.push(word);
    else this.#send(word);
  }

  #send(word: TerminalWord): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word));
  }
}

function answerOf(data: string): TerminalAnswer | null {
  try {
    return JSON.parse(data) as TerminalAnswer;
  } catch {
    return null;
  }
}

function wordsOf(answer: TerminalAnswer | null): string | null {
  if (answer?.type === 'refused') return answer.message;
  if (answer?.type === 'over') return t().terminal.over(answer.reason, answer.code);
  return null;
}
