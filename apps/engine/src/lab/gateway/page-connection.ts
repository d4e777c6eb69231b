/**
 * One open page: what it has been sent, what it has acknowledged, and whether it keeps up.
 * The kernel swallows megabytes before a socket looks full, so only acknowledgements tell a slow page from a fast one.
 */
import type { Socket } from 'node:net';
import * as z from 'zod';
import type { WebSocket } from 'ws';
import type { ClientFrame } from '../../protocol/trace/stream.ts';
import type { Outgoing } from './outgoing.ts';

/** So many unanswered frames (about a second) mean that the page does not keep up. */
export const UNACKED_LIMIT = 64;
const BUFFERED_LIMIT_BYTES = 4 * 1024 * 1024;
const MESSAGES_PER_SECOND = 200;

const frameNumber = z.int().min(0);
export const pageFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ack'), frame: frameNumber }),
  z.object({
    type: z.literal('resume'),
    have: z.record(z.string().regex(/^[0-9a-f]{32}$/), z.int().min(0)),
  }),
  z.object({ type: z.literal('ping'), t: z.number() }),
]) satisfies z.ZodType<ClientFrame>;

export const isPageFrame = (word: { readonly type: string }): word is ClientFrame =>
  word.type === 'ack' || word.type === 'resume' || word.type === 'ping';

/** Frames that are made once for everybody are written below the WebSocket. */
export interface Wire {
  readonly bytes: Socket;
  readonly isDeflated: boolean;
}

/** A WebSocket and what is below it. */
export interface Line {
  readonly socket: WebSocket;
  readonly wire: Wire | null;
}

export class PageConnection<Word = ClientFrame> {
  readonly #socket: WebSocket;
  readonly #schema: z.ZodType<Word>;
  readonly #wire: Wire | null;
  /** Highest `seq` sent per trace that this page follows. */
  readonly sent = new Map<string, number>();
  /** Traces that it missed events of while it was behind. */
  readonly missed = new Set<string>();
  hasResumed = false;
  isAlive = true;
  #unacked: number[] = [];
  #progressAtMs = Date.now();
  #tokens = MESSAGES_PER_SECOND;
  #tokensAtMs = Date.now();

  constructor(socket: WebSocket, schema: z.ZodType<Word>, wire: Wire | null) {
    this.#socket = socket;
    this.#schema = schema;
    this.#wire = wire;
    socket.on('pong', () => {
      this.isAlive = true;
    });
  }

  get isBehind(): boolean {
    return (
      this.missed.size > 0 ||
      this.#unacked.length >= UNACKED_LIMIT ||
      this.#socket.bufferedAmount > BUFFERED_LIMIT_BYTES
    );
  }

  /** It has digested everything that was sent. */
  get hasCaughtUp(): boolean {
    return this.#unacked.length === 0;
  }

  get stuckForMs(): number {
    return this.#unacked.length === 0 ? 0 : Date.now() - this.#progressAtMs;
  }

  /** Null where ws does the writing, or the page is going. */
  get openWire(): Wire | null {
    return this.#socket.readyState === this.#socket.OPEN ? this.#wire : null;
  }

  /** Of this frame an acknowledgement is expected. */
  expect(frame: number): void {
    if (this.#unacked.length === 0) this.#progressAtMs = Date.now();
    this.#unacked.push(frame);
  }

  send(outgoing: Outgoing): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#wire) this.#wire.bytes.write(outgoing.framed(this.#wire.isDeflated));
    else this.#socket.send(outgoing.text, { binary: false });
  }

  acknowledge(frame: number): void {
    const before = this.#unacked.length;
    this.#unacked = this.#unacked.filter((sent) => sent > frame);
    if (this.#unacked.length < before) this.#progressAtMs = Date.now();
  }

  ping(): void {
    this.isAlive = false;
    this.#socket.ping();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** The frame, or null after closing: 1007 for what is no JSON text, 1008 for what we do not understand. */
  parse(data: Buffer, isBinary: boolean): Word | null {
    if (!this.#mayAsk()) {
      this.close(1008, 'too many messages');
      return null;
    }
    let value: unknown;
    try {
      if (isBinary) throw new SyntaxError('binary');
      value = JSON.parse(data.toString('utf8'));
    } catch {
      this.close(1007, 'a message is not JSON');
      return null;
    }
    const result = this.#schema.safeParse(value);
    if (result.success) return result.data;
    this.close(1008, 'a message is not understood');
    return null;
  }

  #mayAsk(): boolean {
    const now = Date.now();
    const refill = ((now - this.#tokensAtMs) / 1000) * MESSAGES_PER_SECOND;
    this.#tokens = Math.min(MESSAGES_PER_SECOND, this.#tokens + refill);
    this.#tokensAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
