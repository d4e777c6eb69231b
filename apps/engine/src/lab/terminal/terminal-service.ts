/**
 * Terminals of the page: a WebSocket on one side, an interactive exec on the other. Only into a running container of
 * the learner's own, so many at a time, with bounds on what is typed, what is written, and how long nobody types.
 */
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { TerminalAnswer, TerminalEnd, TerminalWord } from '../../protocol/trace/terminal.ts';
import { newSpanId, newTraceId, type SpanContext } from '../../tracing/context.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL, LIMITS } from '../policy/limits.ts';
import { decideTerminal, type TerminalWish } from '../policy/terminal.ts';
import type { InspectedContainer } from '../runs/engine-client.ts';
import { ExecStream, type TerminalSize } from './exec-stream.ts';
import { tellTerminal } from './terminal-trace.ts';

export interface TerminalOptions {
  readonly dockerSocket: string;
  readonly engine: { inspect(reference: string): Promise<InspectedContainer | null> };
  readonly store: Pick<TraceStore, 'announce' | 'accept'>;
  /** Null when the engine can take requests, else why not. */
  readonly whyNot: () => string | null;
  readonly limits?: Partial<typeof TERMINAL_LIMITS>;
}

export const TERMINAL_LIMITS = {
  /** At once, for one learner. */
  terminals: 3,
  idleMs: 10 * 60_000,
  outputBytes: 64 * 1024 * 1024,
  /** Of what is typed or pasted; a second gives that much back. */
  inputBytes: 64 * 1024,
  /** So much may wait for a slow page before the program has to wait too. */
  bufferedBytes: 1024 * 1024,
};

const size = { columns: z.int().min(2).max(500), rows: z.int().min(2).max(300) };
const terminalWord = z.discriminatedUnion('type', [
  z.object({ type: z.literal('open'), command: z.string().max(4096), ...size }),
  z.object({ type: z.literal('input'), text: z.string().max(32 * 1024) }),
  z.object({ type: z.literal('resize'), ...size }),
]) satisfies z.ZodType<TerminalWord>;

/** RFC 6455: the other side sent what is not of this protocol. */
const UNSUPPORTED = 1003;
const NORMAL = 1000;

export class TerminalService {
  readonly #options: TerminalOptions;
  readonly #limits: typeof TERMINAL_LIMITS;
  readonly #open = new Map<string, number>();

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#limits = { ...TERMINAL_LIMITS, ...options.limits };
  }

  /** The page has to say first what it wants to open. */
  add(page: WebSocket, learner: Learner): void {
    page.on('error', () => page.terminate());
    page.once('message', (data: Buffer) => {
      const word = wordOf(data);
      if (word?.type !== 'open') return page.close(UNSUPPORTED, 'what shall be opened?');
      void this.#begin(page, learner, word);
    });
  }

  async #begin(
    page: WebSocket,
    learner: Learner,
    { command, columns, rows }: Extract<TerminalWord, { type: 'open' }>,
  ): Promise<void> {
    const leave = this.#enter(learner);
    page.once('close', leave);
    const context: SpanContext = { traceId: newTraceId(), spanId: newSpanId() };
    try {
      const wish = await this.#check(command, learner);
      const story = tellTerminal(this.#options.store, context, {
        title: command,
        wish,
        learner: learner.id,
      });
      const options = { socketPath: this.#options.dockerSocket, context };
      const stream = await ExecStream.open(options, wish, { columns, rows }).catch(
        (error: unknown) => {
          story.end(null, messageOf(error));
          throw error;
        },
      );
      say(page, { type: 'opened', traceId: context.traceId });
      new Session(page, stream, { limits: this.#limits, onEnd: story.end }).begin();
    } catch (error) {
      say(page, { type: 'refused', message: messageOf(error) });
      page.close(NORMAL);
    }
  }

  async #check(command: string, learner: Learner): Promise<TerminalWish> {
    const { engine, whyNot } = this.#options;
    const reason = whyNot();
    if (reason !== null) throw new EngineError('unavailable', reason);
    if ((this.#open.get(learner.id) ?? 0) > this.#limits.terminals)
      throw new EngineError(
        'unavailable',
        `${this.#limits.terminals} terminals of yours are open: leave one with exit`,
      );
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (all > LIMITS.all.terminals)
      throw new EngineError(
        'unavailable',
        'so many terminals are open that this lab opens no more, for nobody: try again later',
      );
    const wish = decideTerminal(command);
    if ('allowed' in wish) throw new EngineError('forbidden', wish.message);
    const container = await engine.inspect(wish.container);
    if (container === null)
      throw new EngineError('not_found', `No such container: ${wish.container}`);
    if (container.labels[LEARNER_LABEL] !== learner.id)
      throw new EngineError(
        'forbidden',
        `the container ${wish.container} was not made from this page, so the page leaves it alone`,
      );
    return wish;
  }

  /** Counts it until it is left; leaving twice is leaving once. */
  #enter({ id }: Learner): () => void {
    this.#open.set(id, (this.#open.get(id) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const left = (this.#open.get(id) ?? 1) - 1;
      if (left > 0) this.#open.set(id, left);
      else this.#open.delete(id);
    };
  }
}

interface SessionOptions {
  readonly limits: typeof TERMINAL_LIMITS;
  readonly onEnd: (code: number | null, problem: string | null) => void;
}

/** One open terminal. */
class Session {
  readonly #page: WebSocket;
  readonly #stream: ExecStream;
  readonly #options: SessionOptions;
  #allowance: number;
  #allowanceAtMs = Date.now();
  #written = 0;
  #idle: NodeJS.Timeout;
  #isOver = false;

  constructor(page: WebSocket, stream: ExecStream, options: SessionOptions) {
    this.#page = page;
    this.#stream = stream;
    this.#options = options;
    this.#allowance = options.limits.inputBytes;
    this.#idle = this.#watchIdle();
  }

  begin(): void {
    const { connection } = this.#stream;
    connection.on('data', (bytes: Buffer) => this.#pass(bytes));
    connection.on('error', () => void this.#end('engine lost'));
    connection.on('close', () => void this.#end('exited'));
    this.#page.on('message', (data: Buffer) => this.#take(data));
    this.#page.on('close', () => {
      // As when a terminal window is closed: the program's terminal hangs up.
      connection.destroy();
    });
    if (this.#page.readyState !== this.#page.OPEN) connection.destroy();
  }

  /** A slow page makes the program wait: what it has not taken is not read from the engine. */
  #pass(bytes: Buffer): void {
    this.#written += bytes.length;
    if (this.#written > this.#options.limits.outputBytes) return void this.#end('too much output');
    const { connection } = this.#stream;
    this.#page.send(bytes, () => {
      if (this.#page.bufferedAmount < this.#options.limits.bufferedBytes) connection.resume();
    });
    if (this.#page.bufferedAmount >= this.#options.limits.bufferedBytes) connection.pause();
  }

  #take(data: Buffer): void {
    const word = wordOf(data);
    if (!word || word.type === 'open') return this.#page.close(UNSUPPORTED, 'not of this protocol');
    clearTimeout(this.#idle);
    this.#idle = this.#watchIdle();
    if (word.type === 'input') return this.#type(word.text);
    const wanted: TerminalSize = { columns: word.columns, rows: word.rows };
    // The program may have ended meanwhile; then its size is of no interest.
    this.#stream.resize(wanted).catch(() => undefined);
  }

  #type(text: string): void {
    const { inputBytes } = this.#options.limits;
    const now = Date.now();
    const earned = ((now - this.#allowanceAtMs) / 1000) * inputBytes;
    this.#allowance = Math.min(inputBytes, this.#allowance + earned) - Buffer.byteLength(text);
    this.#allowanceAtMs = now;
    if (this.#allowance < 0) return void this.#end('too much input');
    this.#stream.connection.write(text);
  }

  #watchIdle(): NodeJS.Timeout {
    const timer = setTimeout(() => void this.#end('idle'), this.#options.limits.idleMs);
    timer.unref();
    return timer;
  }

  async #end(reason: TerminalEnd): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#idle);
    this.#stream.connection.destroy();
    const code = await this.#stream.exitCode().catch(() => null);
    this.#options.onEnd(code, reason === 'exited' ? null : reason);
    say(this.#page, { type: 'over', code, reason });
    this.#page.close(NORMAL);
  }
}

function say(page: WebSocket, answer: TerminalAnswer): void {
  if (page.readyState === page.OPEN) page.send(JSON.stringify(answer));
}

function wordOf(data: Buffer): TerminalWord | null {
  try {
    return terminalWord.parse(JSON.parse(data.toString('utf8')));
  } catch {
    return null;
  }
}
