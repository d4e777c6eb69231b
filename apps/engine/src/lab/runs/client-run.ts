/**
 * One Send Request: a real Docker client as a process of its own, given an argv and never a shell.
 * The trace of a docker command is named after the process (pid and start time), as dockerd names that of any other;
 * another program finds its trace in its environment, and dockerd finds it there too.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { EngineError } from '../../protocol/errdefs.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { processId, spanEndedId, spanStartedId } from '../../protocol/trace/event-id.ts';
import {
  formatTraceparent,
  newSpanId,
  newTraceId,
  traceOfProcess,
  type SpanContext,
} from '../../tracing/context.ts';
import { shellExit } from '../exit-code.ts';
import { labEmitter } from '../lab-emitter.ts';
import { processInfo } from '../process-info.ts';
import type { Launch } from '../programs/program.ts';
import { ClientWords, type Chunk } from './client-words.ts';

export interface ClientRunOptions extends Launch {
  /** Called before the first event is told, so that the trace is known as this page's. */
  readonly onBorn: (run: ClientRun) => void;
  readonly tell: (event: TraceEvent) => void;
  /** Every byte that came out of the client, for the limit. */
  readonly onBytes: (count: number) => void;
}

type Told<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, 'traceId' | 'emitter' | 'mono'> & { readonly mono?: string }
  : never;

/** Time for the last events of other processes, which gather for 100 ms, to arrive before the client's own words are told apart. */
const SETTLE_MS = 220;
const STDERR_LIMIT_BYTES = 256 * 1024;

export class ClientRun {
  readonly context: SpanContext;
  readonly pid: number;
  /** Resolves when the client is gone and everything it said is told. */
  readonly finished: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: ClientRunOptions;
  readonly #words: ClientWords;
  /** One a stream: a pipe may be read in the middle of a character. */
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  #lastAnswerId: string | null = null;
  #containerStderr: Buffer[] = [];
  #containerStderrBytes = 0;
  #hasExited = false;

  constructor(options: ClientRunOptions) {
    this.#options = options;
    const [name = '', ...args] = options.argv;
    const given = options.isDocker ? null : { traceId: newTraceId(), spanId: newSpanId() };
    const child = spawn(options.file, args, {
      argv0: name,
      cwd: options.cwd,
      env: { ...options.env, ...(given ? { TRACEPARENT: formatTraceparent(given) } : {}) },
      ...options.identity,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    // Node tells a failed start twice: here by the missing pid, and by an event that must have a listener.
    child.on('error', () => undefined);
    // The child is not reaped before this function returns, so the kernel still knows it, however short its life.
    const startTime = child.pid === undefined ? undefined : processInfo(child.pid)?.startTime;
    if (child.pid === undefined || startTime === undefined) {
      throw new EngineError('unavailable', `the program ${options.file} cannot be started`);
    }
    this.#child = child;
    this.pid = child.pid;
    this.context = given ?? traceOfProcess(child.pid, startTime);
    this.#words = new ClientWords(options.printsContainer, (chunk) => this.#sayWords(chunk));
    options.onBorn(this);
    this.#sayBirth(startTime);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (bytes: Buffer) => {
        options.onBytes(bytes.length);
        this.#words.add({ stream, bytes, mono: process.hrtime.bigint().toString() });
      });
    }
    child.once('exit', (code, signal) => this.#sayExit(shellExit({ code, signal })));
    this.finished = new Promise((resolve) => {
      child.once('close', () => {
        setTimeout(() => {
          this.#words.finish(Buffer.concat(this.#containerStderr));
          this.#sayRest();
          resolve();
        }, SETTLE_MS);
      });
    });
  }

  get #name(): string {
    return this.#options.argv[0] ?? '';
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** What others tell in this trace: when the container may speak, what it wrote, what the client was last told. */
  notice(event: TraceEvent): void {
    if (event.type === 'message' && event.protocol === 'http') {
      if (event.direction === 'request' && /\/(start|attach)\b/.test(event.summary))
        this.#words.containerMaySpeak();
      if (event.direction === 'response' && event.to.actor === 'docker')
        this.#lastAnswerId = event.id;
    }
    if (
      event.type === 'output' &&
      event.stream === 'stderr' &&
      this.#containerStderrBytes < STDERR_LIMIT_BYTES
    ) {
      const bytes = Buffer.from(event.base64, 'base64');
      this.#containerStderr.push(bytes);
      this.#containerStderrBytes += bytes.length;
    }
  }

  /** A remark of the lab's in the trace, such as a limit that was reached. */
  remark(name: string, attributes: Readonly<Record<string, string | number>>): void {
    this.#say({
      type: 'spanEvent',
      id: `lab/${this.pid}/${name}`,
      cause: processId(this.pid, 'exec'),
      level: 'step',
      source: __SOURCE__,
      spanId: this.context.spanId,
      name,
      attributes,
    });
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#hasExited) this.#child.kill(signal);
  }

  #sayBirth(startTime: string): void {
    const { argv } = this.#options;
    const { spanId } = this.context;
    this.#say({
      type: 'spanStarted',
      id: spanStartedId(spanId),
      cause: null,
      level: 'detail',
      source: __SOURCE__,
      spanId,
      parentSpanId: null,
      name: argv.slice(0, 2).join(' '),
      kind: 'client',
      attributes: { 'process.command_args': argv, 'process.pid': this.pid },
    });
    const process_ = { pid: this.pid, ppid: process.pid, name: this.#name, startTime };
    this.#say({
      type: 'process',
      id: processId(this.pid, 'fork'),
      cause: spanStartedId(spanId),
      level: 'detail',
      source: __SOURCE__,
      change: 'fork',
      actor: 'docker',
      process: process_,
      attributes: {},
    });
    this.#say({
      type: 'process',
      id: processId(this.pid, 'exec'),
      cause: processId(this.pid, 'fork'),
      level: 'chapter',
      source: __SOURCE__,
      change: 'exec',
      actor: 'docker',
      process: { ...process_, argv },
      attributes: { 'process.executable.path': this.#options.file },
    });
  }

  #sayWords({ stream, bytes, mono }: Chunk): void {
    this.#sayText(stream, this.#decoders[stream].write(bytes), mono);
  }

  /** Bytes that began a character which never came to its end. */
  #sayRest(): void {
    const mono = process.hrtime.bigint().toString();
    for (const stream of ['stdout', 'stderr'] as const)
      this.#sayText(stream, this.#decoders[stream].end(), mono);
  }

  #sayText(stream: Chunk['stream'], text: string, mono: string): void {
    if (text === '') return;
    this.#say({
      type: 'spanEvent',
      id: `client/${this.pid}/${stream}/${mono}`,
      cause: processId(this.pid, 'exec'),
      level: 'detail',
      source: __SOURCE__,
      spanId: this.context.spanId,
      name: `client ${stream}`,
      attributes: { 'engineroom.client.text': text },
      mono,
    });
  }

  #sayExit(exit: { code: number; signal?: string }): void {
    this.#hasExited = true;
    const { spanId } = this.context;
    this.#say({
      type: 'process',
      id: processId(this.pid, 'exit'),
      cause: this.#lastAnswerId ?? processId(this.pid, 'exec'),
      level: 'chapter',
      source: __SOURCE__,
      change: 'exit',
      actor: 'docker',
      process: { pid: this.pid, ppid: process.pid, name: this.#name },
      exit,
      attributes: {},
    });
    this.#say({
      type: 'spanEnded',
      id: spanEndedId(spanId),
      cause: processId(this.pid, 'exit'),
      level: 'detail',
      spanId,
      status:
        exit.code === 0 ? { code: 'ok' } : { code: 'error', message: `exit code ${exit.code}` },
      attributes: { 'process.exit.code': exit.code },
    });
  }

  #say(told: Told<TraceEvent>): void {
    this.#options.tell({
      ...told,
      traceId: this.context.traceId,
      mono: told.mono ?? process.hrtime.bigint().toString(),
      emitter: labEmitter(),
    } as TraceEvent);
  }
}
