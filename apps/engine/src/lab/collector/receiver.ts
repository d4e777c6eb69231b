/**
 * The collector's door: a unix socket on which every process of the engine writes its events, one JSON object a line.
 * Whoever sends rubbish loses the line; whoever sends a line without an end loses the connection; nobody gets an answer.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { readEvent } from './read-event.ts';

export const LINE_LIMIT_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface ReceiverOptions {
  readonly socketPath: string;
  /** `json`: the same as it may be passed on. */
  readonly onEvent: (event: TraceEvent, json: string) => void;
  /** A line that was thrown away, with the reason. */
  readonly onProblem?: (problem: string) => void;
}

export class Receiver {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#read(socket));
  }

  /** Precondition: no live collector listens on the path (`main.ts` has asked). */
  async listen(): Promise<void> {
    await rm(this.#options.socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.socketPath, resolve);
    });
    // Whoever may write here may tell the page stories, so only the engine's own user may.
    await chmod(this.#options.socketPath, 0o600);
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #read(socket: Socket): void {
    this.#connections.add(socket);
    // Cut as bytes: most lines are ASCII, and what is read together with one that is not takes twice the room and time.
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      let begin = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
        const line = chunk.subarray(begin, end);
        this.#take((rest.length > 0 ? Buffer.concat([rest, line]) : line).toString());
        rest = Buffer.alloc(0);
        begin = end + 1;
      }
      rest = Buffer.concat([rest, chunk.subarray(begin)]);
      if (rest.length > LINE_LIMIT_BYTES) {
        this.#options.onProblem?.('a line is too long');
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
  }

  #take(line: string): void {
    if (line === '') return;
    const read = readEvent(line);
    if ('problem' in read) this.#options.onProblem?.(read.problem);
    else this.#options.onEvent(read.event, read.json);
  }
}
