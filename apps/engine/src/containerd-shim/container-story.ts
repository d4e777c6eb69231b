/**
 * What the trace hears of a container's process when no request is being answered: that it is gone, and why.
 */
import { processId, spanStartedId } from '../protocol/trace/event-id.ts';
import { currentContext, withContext, type SpanContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { signalName, type Exit } from './init-process.ts';

export interface StorySubject {
  readonly containerId: string;
  readonly argv: readonly string[];
  /** The first process of the container: pid 1 inside, and its exit is the container's. */
  readonly isInit?: boolean;
}

export class ContainerStory {
  readonly #tracer: Tracer;
  readonly #containerId: string;
  /** The span of Create, or of an exec's Start: where everything belongs that happens by itself. */
  readonly context: SpanContext | undefined;
  readonly #argv: readonly string[];
  readonly #isInit: boolean;
  /** What makes the process end, as far as we know: the last signal, or simply that it ran. */
  #cause: string | undefined;

  constructor(tracer: Tracer, { containerId, argv, isInit = false }: StorySubject) {
    this.#tracer = tracer;
    this.#containerId = containerId;
    this.#argv = argv;
    this.#isInit = isInit;
    this.context = currentContext();
  }

  created(pid: number): void {
    this.#cause = processId(pid, 'fork');
  }

  started(pid: number): void {
    this.#cause = processId(pid, 'exec');
  }

  /** A signal on its way from a request to the process. */
  signalled(pid: number, signal: number): void {
    const context = currentContext();
    if (!context) return;
    const name = signalName(signal);
    const id = `${context.spanId}/signal/${pid}`;
    this.#tracer.emit({
      type: 'message',
      id,
      spanId: context.spanId,
      protocol: 'signal',
      direction: 'request',
      from: { actor: 'shim', pid: process.pid },
      to: { actor: 'container', pid },
      summary: name,
      body: { signal: name, number: signal },
      raw: null,
      level: 'step',
      cause: spanStartedId(context.spanId),
      source: __SOURCE__,
    });
    // A cause must be of the same trace; `docker stop` has its own.
    if (context.traceId === this.context?.traceId) this.#cause = id;
  }

  /** `mono`: when, if that was a while ago. */
  exited(pid: number, exit: Exit, mono?: string): void {
    withContext(this.context, () =>
      this.#tracer.emit({
        type: 'process',
        id: processId(pid, 'exit'),
        change: 'exit',
        actor: 'container',
        process: { pid, ppid: process.pid, name: this.#argv[0] ?? '', argv: this.#argv },
        exit: { code: exit.code, ...(exit.signal ? { signal: signalName(exit.signal) } : {}) },
        containerId: this.#containerId,
        level: this.#isInit ? 'chapter' : 'step',
        source: __SOURCE__,
        ...(this.#cause ? { cause: this.#cause } : {}),
        ...(mono === undefined ? {} : { mono }),
        attributes: {
          'container.id': this.#containerId,
          'process.pid': pid,
          ...(this.#isInit ? { 'process.vpid': 1 } : {}),
          'process.exit.code': exit.code,
          ...(exit.signal ? { 'engineroom.signal': signalName(exit.signal) } : {}),
        },
      }),
    );
  }
}
