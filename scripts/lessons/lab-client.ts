/** A client of the lab's API, as the page is one: sends commands, waits for the ends of their traces, asks checks. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import type { CheckAnswer, CheckRequest } from '../../apps/engine/src/protocol/lesson/predicate.ts';
import { isOf } from '../../apps/engine/src/protocol/lesson/runs.ts';
import { spanEndedId } from '../../apps/engine/src/protocol/trace/event-id.ts';
import type { RunGates } from '../../apps/engine/src/lab/gates/gate-service.ts';
import { HELD_EVENT } from '../../apps/engine/src/protocol/trace/gate.ts';
import type { Fault, FaultAccepted } from '../../apps/engine/src/protocol/trace/fault.ts';
import type { ServerFrame, TraceSummary } from '../../apps/engine/src/protocol/trace/stream.ts';

export class LabClient {
  readonly #base: string;
  readonly #token: string;
  readonly #socket: WebSocket;
  readonly #summaries = new Map<string, TraceSummary>();
  /** The spans that have ended, by the id of that event. */
  readonly #ended = new Set<string>();
  /** The traces that something was held in. */
  readonly #held = new Set<string>();
  #wakeUp: (() => void)[] = [];
  #problem: Error | null = null;

  readonly #dockerSocket: string;
  /** Where commands of the learner's own terminal are given. */
  readonly #home = mkdtempSync(join(tmpdir(), 'lesson-home-'));

  /** Words before a command of the learner's terminal, where the engine's files are not ours to see. */
  readonly #enter: readonly string[];

  /** Of the browser whose learner this is; '' for one of its own. */
  readonly #cookie: string;

  /** The address that the lab prints, with the token in its fragment, and the engine's socket as we see it. */
  constructor(
    url: string,
    dockerSocket: string,
    { enter = [], cookie = '' }: { enter?: readonly string[]; cookie?: string } = {},
  ) {
    this.#enter = enter;
    this.#cookie = cookie;
    this.#dockerSocket = dockerSocket;
    const { origin, hash } = new URL(url);
    this.#base = origin;
    this.#token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
    this.#socket = new WebSocket(
      `${origin.replace('http', 'ws')}/api/stream`,
      ['engine-room.v1', `token.${this.#token}`],
      { headers: this.#session },
    );
    this.#socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString('utf8'))));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the lab has gone')));
  }

  close(): void {
    rmSync(this.#home, { recursive: true, force: true });
    this.#socket.removeAllListeners('close').close();
  }

  /** As Send Request does; resolves with the summary when the trace has ended. */
  async run(command: string): Promise<TraceSummary> {
    const { traceId } = (await this.#post('/run', { command })) as { traceId: string };
    return this.#end(traceId);
  }

  /** Resolves when it is held at the gate, with what the lab says of the process there. */
  async hold(command: string, gate: string): Promise<{ traceId: string; held: RunGates['held'] }> {
    const sent = await this.#post('/run', { command, gates: [gate] });
    const { traceId } = sent as { traceId: string };
    while (!this.#held.has(traceId)) await this.#news();
    const answer = await this.#fetch(`/runs/${traceId}/gates`);
    return { traceId, held: ((await answer.json()) as RunGates).held };
  }

  /** Lets go on, and resolves when the trace has ended. */
  async continue(traceId: string): Promise<TraceSummary> {
    await this.#post(`/runs/${traceId}/continue`, {});
    return this.#end(traceId);
  }

  async #end(traceId: string): Promise<TraceSummary> {
    for (;;) {
      const summary = this.#summaries.get(traceId);
      if (summary?.state === 'ended') return summary;
      await this.#news();
    }
  }

  /** As in a terminal: the program itself, and then the trace that it has left. */
  async outside(command: string): Promise<TraceSummary> {
    // The working directory is lost on the way into another mount namespace. env(1)
    const [program = '', ...words] = [
      ...this.#enter,
      'env',
      `--chdir=${this.#home}`,
      ...command.split(' '),
    ];
    const before = new Set(this.#summaries.keys());
    await promisify(execFile)(program, words, {
      env: {
        PATH: process.env['PATH'],
        HOME: this.#home,
        DOCKER_HOST: `unix://${this.#dockerSocket}`,
        CONTAINERD_ADDRESS: join(dirname(this.#dockerSocket), 'containerd.sock'),
      },
    });
    for (;;) {
      for (const summary of this.#summaries.values()) {
        const isNew = summary.state === 'ended' && !before.has(summary.traceId);
        if (isNew && isOf(command, summary.title)) return summary;
      }
      await this.#news();
    }
  }

  /** Breaks something, and resolves with the trace that tells of it when all that can mend has mended. */
  async fault(fault: Fault, tells: string): Promise<string> {
    const container = this.#summaries.get(tells)?.containerIds[0];
    const isAboutOne = fault === 'kill-shim' || fault === 'kill-container';
    const body = { fault, ...(isAboutOne && container !== undefined ? { container } : {}) };
    const { eventId } = (await this.#post('/faults', body)) as FaultAccepted;
    const over = spanEndedId(eventId.slice(0, eventId.indexOf('/')));
    while (!this.#ended.has(over)) await this.#news();
    return tells;
  }

  async check(body: CheckRequest): Promise<CheckAnswer> {
    return (await this.#post('/checks', body)) as CheckAnswer;
  }

  async traceFile(traceId: string): Promise<Buffer> {
    const response = await this.#fetch(`/traces/${traceId}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** A request of another program, straight to the engine's socket. */
  async request(path: string): Promise<void> {
    const headers = { Host: 'docker', 'User-Agent': 'curl/8.14.1' };
    await new Promise<void>((resolve, reject) => {
      request({ socketPath: this.#dockerSocket, path, headers, agent: false }, (response) => {
        response.resume().on('end', resolve).on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  }

  get #session(): Readonly<Record<string, string>> {
    return this.#cookie === '' ? {} : { Cookie: this.#cookie };
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    return (await this.#fetch(path, body)).json();
  }

  async #fetch(path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.#base}/api${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        Authorization: `Bearer ${this.#token}`,
        'Content-Type': 'application/json',
        ...this.#session,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response;
  }

  #receive(frame: ServerFrame): void {
    if (frame.type === 'hello') {
      for (const trace of frame.traces) this.#summaries.set(trace.traceId, trace);
      this.#socket.send(JSON.stringify({ type: 'resume', have: {} }));
    }
    if (frame.type === 'events') {
      this.#socket.send(JSON.stringify({ type: 'ack', frame: frame.frame }));
      for (const event of frame.events) {
        if (event.type === 'spanEnded') this.#ended.add(event.id);
        if (event.type === 'spanEvent' && event.name === HELD_EVENT) this.#held.add(event.traceId);
      }
    }
    if (frame.type === 'trace') this.#summaries.set(frame.trace.traceId, frame.trace);
    this.#wake();
  }

  async #news(): Promise<void> {
    if (this.#problem) throw this.#problem;
    await new Promise<void>((resolve) => this.#wakeUp.push(resolve));
  }

  #fail(problem: Error): void {
    this.#problem = problem;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#wakeUp;
    this.#wakeUp = [];
    for (const resolve of waiting) resolve();
  }
}
