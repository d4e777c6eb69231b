/**
 * Sends trace events to the lab over a unix socket, one JSON object a line.
 *
 * Emission never blocks and never fails a request. While the lab is away events wait in a bounded buffer;
 * what does not fit is dropped and counted, and the count is sent as soon as the lab is back.
 */
import { connect, type Socket } from 'node:net';
import type { TraceEvent } from '../protocol/trace/event.ts';

export interface Exporter {
  export(event: TraceEvent): void;
  /** Resolves when everything was handed to the kernel, or when the lab cannot be reached. For short-lived commands. */
  flush(): Promise<void>;
  close(): void;
}

const BUFFER_LIMIT_BYTES = 8 * 1024 * 1024;
const RECONNECT_MS = 250;
/**
 * Events gather for so long, which is about a `docker run`: whoever waits for it has it by then, and neither they nor
 * the lab's work on them takes a processor from it. Nobody who watches sees a tenth of a second.
 */
const GATHER_MS = 100;
/** More than these do not wait for the moment to be over: what has gathered is bounded, too. */
const MOST_GATHERED = 1000;

/** An exporter for a machine without a lab: everything is dropped. */
export const nullExporter: Exporter = {
  export: () => undefined,
  flush: () => Promise.resolve(),
  close: () => undefined,
};

export class SocketExporter implements Exporter {
  readonly #path: string;
  #socket: Socket | null = null;
  #connected = false;
  #closed = false;
  /** Not written down yet. */
  #events: TraceEvent[] = [];
  #buffer: string[] = [];
  #bufferBytes = 0;
  #gathering: NodeJS.Timeout | undefined;
  #flushWaiters: (() => void)[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#connect();
  }

  /** The event must not change any more: it is written down a moment later. */
  export(event: TraceEvent): void {
    if (this.#events.push(event) >= MOST_GATHERED) this.#drain();
    else this.#gathering ??= setTimeout(() => this.#drain(), GATHER_MS);
  }

  flush(): Promise<void> {
    this.#drain();
    if (this.#buffer.length === 0 && (this.#socket?.writableLength ?? 0) === 0)
      return Promise.resolve();
    return new Promise((resolve) => this.#flushWaiters.push(resolve));
  }

  close(): void {
    this.#drain();
    this.#closed = true;
    this.#socket?.end();
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = connect(this.#path);
    this.#socket = socket;
    socket.unref();
    socket.on('connect', () => {
      this.#connected = true;
      this.#drain();
    });
    socket.on('drain', () => this.#drain());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#connected = false;
      this.#releaseFlushWaiters();
      setTimeout(() => this.#connect(), RECONNECT_MS).unref();
    });
  }

  #writeDown(): void {
    for (const event of this.#events.splice(0)) {
      const line = `${JSON.stringify(event)}\n`;
      // A dropped event leaves a hole in the emitter's counter, which is how the collector sees it.
      if (this.#bufferBytes + line.length > BUFFER_LIMIT_BYTES) continue;
      this.#buffer.push(line);
      this.#bufferBytes += line.length;
    }
  }

  #drain(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#writeDown();
    const socket = this.#socket;
    if (!socket || !this.#connected) return;
    if (this.#buffer.length > 0 && !socket.writableNeedDrain) {
      const chunk = this.#buffer.join('');
      this.#buffer = [];
      this.#bufferBytes = 0;
      socket.write(chunk, () => {
        if (this.#buffer.length === 0) this.#releaseFlushWaiters();
      });
    } else if (this.#buffer.length === 0 && socket.writableLength === 0) {
      this.#releaseFlushWaiters();
    }
  }

  #releaseFlushWaiters(): void {
    const waiters = this.#flushWaiters;
    this.#flushWaiters = [];
    for (const release of waiters) release();
  }
}

/** The exporter that the environment asks for: `ENGINE_ROOM_TRACE_SOCKET`, set by the lab for its children. */
export const exporterFromEnvironment = (): Exporter => {
  const path = process.env['ENGINE_ROOM_TRACE_SOCKET'];
  return path ? new SocketExporter(path) : nullExporter;
};
