/**
 * Sets gates, holds whoever comes to one, and lets go. Each gate belongs to one trace and holds once.
 *
 * Processes of the engine look for a file named after their trace; only where it names their gate do they come and ask
 * (protocol/trace/gate.ts). So nobody else's request is ever slower for it, and when the lab dies all gates are open.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import {
  GATE_NEXT,
  GATE_SOCKET,
  type GateAnswer,
  type GateRequest,
  type ReleaseReason,
} from '../../protocol/trace/gate.ts';
import { listenOnSocket } from '../../transport/unix-socket.ts';

/** Somebody who is held now. */
export interface Held extends GateRequest {
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly sinceMono: string;
  /** When it is let go if nobody says "continue", in milliseconds from `sinceMono` on. */
  readonly limitMs: number;
}

interface Waiting {
  readonly held: Held;
  readonly answer: (answer: GateAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

export interface GateKeeperOptions {
  readonly folder: string;
  readonly limitMs?: number;
}

const LIMIT_MS = 120_000;
const LINE_LIMIT = 4096;
/** Traces with gates that nobody has come to, such as that of a container which never exits. */
const TRACES_LIMIT = 64;
/** The one gate that a client does not wait at. */
const OUTLIVES_CLIENT = 'exited-not-reaped';

const request = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  gate: z.string().max(64),
  actor: z.enum(['dockerd', 'containerd', 'shim', 'runc']),
  pid: z.int().positive(),
  subjectPid: z.int().positive(),
});

export class GateKeeper {
  readonly #folder: string;
  readonly #limitMs: number;
  readonly #server: Server;
  readonly #set = new Map<string, ReadonlySet<string>>();
  readonly #waiting = new Set<Waiting>();

  constructor({ folder, limitMs = LIMIT_MS }: GateKeeperOptions) {
    this.#folder = folder;
    this.#limitMs = limitMs;
    this.#server = createServer((socket) => this.#greet(socket));
  }

  /** Forgets what an earlier lab has set. */
  async listen(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) rmSync(join(this.#folder, name), { force: true });
    await listenOnSocket(this.#server, join(this.#folder, GATE_SOCKET), 0o600);
  }

  /** Everybody is let go. */
  async close(): Promise<void> {
    for (const traceId of this.#set.keys()) this.#write(traceId, []);
    this.#release(() => true, 'lab is gone');
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /**
   * Starts a client whose trace gets its name by being born. Whoever comes meanwhile asks, and is answered after `birth`
   * has set the gates, for all of this is one turn of the event loop.
   */
  duringBirth<T>(birth: () => T): T {
    const next = join(this.#folder, GATE_NEXT);
    writeFileSync(next, '', { mode: 0o600 });
    try {
      return birth();
    } finally {
      rmSync(next, { force: true });
    }
  }

  /** Replaces the gates that are still to come in this trace. */
  set(traceId: string, gates: readonly string[]): void {
    this.#write(traceId, gates);
    for (const oldest of this.#set.keys()) {
      if (this.#set.size <= TRACES_LIMIT) break;
      this.#write(oldest, []);
    }
  }

  gatesOf(traceId: string): readonly string[] {
    return [...(this.#set.get(traceId) ?? [])];
  }

  heldIn(traceId: string): readonly Held[] {
    return [...this.#waiting].map(({ held }) => held).filter((held) => held.traceId === traceId);
  }

  /** How many were let go. */
  release(traceId: string, reason: ReleaseReason, gate?: string): number {
    return this.#release(
      (held) => held.traceId === traceId && (gate === undefined || held.gate === gate),
      reason,
    );
  }

  /** Nobody waits for an answer any more. A container that it left behind may still come to its end, and be held. */
  clientGone(traceId: string): void {
    const gates = this.gatesOf(traceId);
    this.#write(
      traceId,
      gates.filter((gate) => gate === OUTLIVES_CLIENT),
    );
    this.#release(
      (held) => held.traceId === traceId && held.gate !== OUTLIVES_CLIENT,
      'client is gone',
    );
  }

  #write(traceId: string, gates: readonly string[]): void {
    const path = join(this.#folder, traceId);
    this.#set.delete(traceId);
    if (gates.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    this.#set.set(traceId, new Set(gates));
    // Whole or not at all: others read it at any moment.
    const written = join(this.#folder, `.${traceId}`);
    writeFileSync(written, gates.join('\n'), { mode: 0o600 });
    renameSync(written, path);
  }

  #release(which: (held: Held) => boolean, reason: ReleaseReason): number {
    const chosen = [...this.#waiting].filter(({ held }) => which(held));
    for (const waiting of chosen) {
      this.#forget(waiting);
      waiting.answer({ released: reason });
    }
    return chosen.length;
  }

  #forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting);
  }

  #greet(socket: Socket): void {
    let received = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\n');
      if (end >= 0) {
        socket.removeAllListeners('data').resume();
        this.#take(socket, received.slice(0, end));
      } else if (received.length > LINE_LIMIT) socket.destroy();
    });
  }

  #take(socket: Socket, line: string): void {
    const asked = parse(line);
    if (!asked) {
      socket.destroy();
      return;
    }
    const answer = (words: GateAnswer): void => {
      const text = `${JSON.stringify(words)}\n`;
      if ('released' in words) socket.end(text);
      else socket.write(text);
    };
    const { traceId, gate } = asked;
    const gates = this.gatesOf(traceId);
    if (!gates.includes(gate)) {
      answer({ released: 'not set' });
      return;
    }
    this.#write(
      traceId,
      gates.filter((other) => other !== gate),
    );
    const sinceMono = process.hrtime.bigint().toString();
    const waiting: Waiting = {
      held: { ...asked, sinceMono, limitMs: this.#limitMs },
      answer,
      timer: setTimeout(
        () => this.#release((held) => held === waiting.held, 'time limit'),
        this.#limitMs,
      ),
    };
    this.#waiting.add(waiting);
    socket.once('close', () => this.#forget(waiting));
    answer({ held: true });
  }
}

const parse = (line: string): GateRequest | null => {
  try {
    return request.parse(JSON.parse(line));
  } catch {
    return null;
  }
};
