/** JSON objects from a socket, one a line. */
import type { Socket } from 'node:net';
import { EngineError } from '../../protocol/errdefs.ts';
import { LINE_LIMIT_BYTES } from '../../protocol/task/claim.ts';

export class JsonLines {
  readonly #lines: string[] = [];
  #rest = '';
  #ended: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      const parts = (this.#rest + chunk).split('\n');
      this.#rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      if (this.#rest.length > LINE_LIMIT_BYTES) socket.destroy(new Error('line is too long'));
      this.#wake?.();
    });
    socket.on('error', (error) => (this.#ended = error));
    socket.on('close', () => {
      this.#ended ??= new Error('connection closed');
      this.#wake?.();
    });
  }

  /** The next object. Rejects when the connection ends, the line is no JSON, or time is up. */
  async next(timeoutMs: number): Promise<unknown> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return parse(line);
      if (this.#ended)
        throw new EngineError('unavailable', this.#ended.message, { cause: this.#ended });
      const left = deadline - performance.now();
      if (left <= 0) throw new EngineError('deadline', 'no answer in time');
      await this.#change(left);
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

const parse = (line: string): unknown => {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Said below.
  }
  throw new EngineError('unavailable', `expected a JSON object: ${line.slice(0, 100)}`);
};
