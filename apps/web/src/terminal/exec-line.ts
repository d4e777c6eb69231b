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

  constructor(socket: WebSocket, { command, columns, rows, onOutput, onEnd }: ExecLineOptions) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#send({ type: 'open', command, columns, rows }));
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (typeof data !== 'string') onOutput(new Uint8Array(data));
      else this.#words = wordsOf(data) ?? this.#words;
    });
    socket.addEventListener('close', () => onEnd(this.#words ?? t().terminal.lost));
  }

  type(text: string): void {
    this.#send({ type: 'input', text });
  }

  resize(columns: number, rows: number): void {
    this.#send({ type: 'resize', columns, rows });
  }

  close(): void {
    this.#socket.close();
  }

  #send(word: TerminalWord): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word));
  }
}

function wordsOf(data: string): string | null {
  try {
    const answer = JSON.parse(data) as TerminalAnswer;
    if (answer.type === 'refused') return answer.message;
    if (answer.type === 'over') return t().terminal.over(answer.reason, answer.code);
    return null;
  } catch {
    return null;
  }
}
