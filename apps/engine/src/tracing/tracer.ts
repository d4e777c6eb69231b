/**
 * A small OpenTelemetry-shaped tracer: spans with parents, plus the engine's own events, each naming its cause.
 *
 * Spans follow the asynchronous call (`context.ts`), so code says `tracer.span('daemon.start', …, work)`
 * and everything inside `work`, including the next process, becomes its child.
 */
import type {
  Actor,
  Attributes,
  EventBase,
  Level,
  SpanStarted,
  TraceEvent,
} from '../protocol/trace/event.ts';
import { spanEndedId, spanStartedId } from '../protocol/trace/event-id.ts';
import { currentContext, newSpanId, newTraceId, withContext, type SpanContext } from './context.ts';
import type { Exporter } from './exporter.ts';

export interface SpanOptions {
  readonly kind?: 'server' | 'client' | 'internal';
  readonly level?: Level;
  /** Default: the current span. `null` starts a new trace. */
  readonly parent?: SpanContext | null;
  /** Default: the beginning of the parent span. */
  readonly cause?: string | null;
  readonly attributes?: Attributes;
  readonly links?: SpanStarted['links'];
  /** Write `__SOURCE__`: the build replaces it by file:line. */
  readonly source?: string;
  /** For a span whose id both ends must know (a client process that we did not trace ourselves). */
  readonly context?: SpanContext;
  readonly mono?: bigint;
}

/** What every event has, filled in by the tracer unless said otherwise. */
type Filled = 'traceId' | 'mono' | 'emitter' | 'cause' | 'level' | 'id';
type Draft<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, Filled> & Partial<Pick<T, Exclude<Filled, 'emitter'>>>
  : never;
export type EventDraft = Draft<TraceEvent>;

export class Span {
  readonly context: SpanContext;
  readonly #tracer: Tracer;
  readonly #level: Level;
  #ended = false;

  constructor(tracer: Tracer, context: SpanContext, level: Level) {
    this.#tracer = tracer;
    this.context = context;
    this.#level = level;
  }

  /** Runs `work` with this span as the current one. Does not end the span. */
  run<T>(work: () => T): T {
    return withContext(this.context, work);
  }

  event(
    name: string,
    attributes: Attributes = {},
    options: { level?: Level; cause?: string; source?: string } = {},
  ): void {
    this.#tracer.emit({
      type: 'spanEvent',
      spanId: this.context.spanId,
      traceId: this.context.traceId,
      name,
      attributes,
      level: options.level ?? 'detail',
      ...(options.cause ? { cause: options.cause } : { cause: spanStartedId(this.context.spanId) }),
      ...(options.source ? { source: options.source } : {}),
    });
  }

  end(
    status: { code: 'ok' | 'error'; message?: string } = { code: 'ok' },
    attributes: Attributes = {},
    options: { cause?: string; mono?: bigint } = {},
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tracer.emit({
      type: 'spanEnded',
      id: spanEndedId(this.context.spanId),
      traceId: this.context.traceId,
      spanId: this.context.spanId,
      status,
      attributes,
      level: this.#level === 'chapter' ? 'step' : 'detail',
      cause: options.cause ?? spanStartedId(this.context.spanId),
      ...(options.mono === undefined ? {} : { mono: options.mono.toString() }),
    });
  }
}

export class Tracer {
  readonly actor: Actor;
  readonly #exporter: Exporter;
  #n = 0;

  constructor(actor: Actor, exporter: Exporter) {
    this.actor = actor;
    this.#exporter = exporter;
  }

  startSpan(name: string, options: SpanOptions = {}): Span {
    const parent = options.parent === undefined ? currentContext() : (options.parent ?? undefined);
    const context = options.context ?? {
      traceId: parent?.traceId ?? newTraceId(),
      spanId: newSpanId(),
    };
    const level = options.level ?? 'detail';
    const parentSpanId = parent && parent.spanId !== context.spanId ? parent.spanId : null;
    this.emit({
      type: 'spanStarted',
      id: spanStartedId(context.spanId),
      traceId: context.traceId,
      spanId: context.spanId,
      parentSpanId,
      name,
      kind: options.kind ?? 'internal',
      attributes: options.attributes ?? {},
      level,
      cause:
        options.cause === undefined
          ? parentSpanId
            ? spanStartedId(parentSpanId)
            : null
          : options.cause,
      ...(options.links ? { links: options.links } : {}),
      ...(options.source ? { source: options.source } : {}),
      ...(options.mono === undefined ? {} : { mono: options.mono.toString() }),
    });
    return new Span(this, context, level);
  }

  /** Runs `work` inside a new span and ends it with the outcome. Errors pass through. */
  async span<T>(
    name: string,
    options: SpanOptions,
    work: (span: Span) => Promise<T> | T,
  ): Promise<T> {
    const span = this.startSpan(name, options);
    try {
      const result = await span.run(() => work(span));
      span.end();
      return result;
    } catch (error) {
      span.end({ code: 'error', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** Emits an event. Outside of any trace there is nobody to tell, and nothing is emitted. */
  emit(draft: EventDraft): void {
    const context = currentContext();
    const traceId = draft.traceId ?? context?.traceId;
    if (!traceId) return;
    const n = this.#n++;
    const filled: Pick<EventBase, Filled> = {
      id: draft.id ?? `${process.pid}/${n}`,
      traceId,
      cause:
        draft.cause === undefined ? (context ? spanStartedId(context.spanId) : null) : draft.cause,
      mono: draft.mono ?? process.hrtime.bigint().toString(),
      level: draft.level ?? 'detail',
      emitter: { actor: this.actor, pid: process.pid, n },
    };
    this.#exporter.export({ ...draft, ...filled } as TraceEvent);
  }

  flush(): Promise<void> {
    return this.#exporter.flush();
  }
}
