/** Writes traces down for tests, event by event, as the engine's processes would. Never part of the page. */
import type {
  Actor,
  Level,
  Message,
  ProcessEvent,
  SequencedEvent,
  SyscallEvent,
  TraceEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import {
  requestId,
  responseId,
  spanEndedId,
  spanStartedId,
} from '@engine-room/engine/protocol/trace/event-id.ts';

type Draft<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, 'traceId' | 'mono' | 'emitter' | 'seq'>
  : never;

export type Pids = Readonly<Record<Actor, number>>;

/** One call over a seam, from its request to its answer. */
export interface Call {
  readonly client: string;
  readonly server: string;
  /** The id of the event that says that the server has begun. */
  readonly begun: string;
  readonly from: Actor;
  readonly to: Actor;
  readonly protocol: 'http' | 'grpc' | 'ttrpc';
}

type Seam = Pick<Call, 'client' | 'from' | 'to' | 'protocol'>;

interface Details {
  readonly cause: string | null;
  readonly level: Level;
  readonly body?: unknown;
}

/** who, name, arguments, title, object, level, and what else there is to say. */
export type SyscallLine = readonly [
  who: 'runc' | 'container',
  name: string,
  detail: string,
  title: string,
  object: SyscallEvent['object'],
  level?: Level,
  more?: Partial<Pick<SyscallEvent, 'errno' | 'reference' | 'attributes'>>,
];

const OF_A_CONTAINER: ReadonlySet<Actor> = new Set(['shim', 'runc', 'container']);
const BOOT_NS = 812_345_678_901_234n;
const STEP_MICROS = 3;
const TRAVEL_MICROS = 180;

export class TraceWriter {
  readonly events: SequencedEvent[] = [];
  /** Named by each process of it, once it is known. */
  containerId: string | null = null;
  readonly #traceId: string;
  readonly #pids: Pids;
  readonly #counters = new Map<Actor, number>();
  #micros = 0;
  #spans = 0;

  constructor(traceId: string, pids: Pids) {
    this.#traceId = traceId;
    this.#pids = pids;
  }

  get now(): number {
    return this.#micros;
  }

  /** What is said next, is said at this time. */
  at(micros: number): this {
    this.#micros = micros;
    return this;
  }

  newSpanId(): string {
    this.#spans += 1;
    return this.#spans.toString(16).padStart(16, '0');
  }

  say(actor: Actor, draft: Draft<TraceEvent>): string {
    const n = this.#counters.get(actor) ?? 0;
    this.#counters.set(actor, n + 1);
    const event = {
      ...draft,
      traceId: this.#traceId,
      mono: this.#monoAt(this.#micros),
      emitter: { actor, pid: this.#pids[actor], n },
      seq: this.events.length + 1,
    };
    this.events.push(event);
    this.#micros += STEP_MICROS;
    return draft.id;
  }

  begin(
    actor: Actor,
    [kind, name, spanId]: readonly ['server' | 'client' | 'internal', string, string],
    { cause, level }: Details,
  ): string {
    const begun = {
      type: 'spanStarted',
      id: spanStartedId(spanId),
      spanId,
      parentSpanId: null,
      attributes: {},
    } as const;
    return this.say(actor, { ...begun, name, kind, cause, level });
  }

  end(actor: Actor, spanId: string, cause: string): string {
    const ended = {
      type: 'spanEnded',
      id: spanEndedId(spanId),
      spanId,
      attributes: {},
      level: 'detail',
    } as const;
    return this.say(actor, { ...ended, cause, status: { code: 'ok' } });
  }

  /** The official CLI tells nothing: what it sends is told by who receives it. */
  call(
    [from, to, protocol]: readonly [Actor, Actor, Call['protocol']],
    summary: string,
    details: Details,
  ): Call {
    const call = { client: this.newSpanId(), server: this.newSpanId(), from, to, protocol };
    const isTold = from !== 'docker';
    const cause = isTold
      ? this.begin(from, ['client', summary, call.client], {
          cause: details.cause,
          level: 'detail',
        })
      : details.cause;
    this.#message(isTold ? from : to, ['request', call], summary, { ...details, cause });
    this.#micros += TRAVEL_MICROS;
    const begun = this.begin(to, ['server', summary, call.server], {
      cause: requestId(call.client),
      level: 'step',
    });
    return { ...call, begun };
  }

  answer(
    call: Call,
    summary: string,
    { level = 'detail', body = null }: { level?: Level; body?: unknown } = {},
  ): string {
    const { from, to, client, server } = call;
    const reply = { ...call, from: to, to: from };
    this.#message(to, ['response', reply], summary, { cause: spanStartedId(server), level, body });
    this.end(to, server, spanStartedId(server));
    this.#micros += TRAVEL_MICROS;
    if (from !== 'docker') this.end(from, client, responseId(client));
    return responseId(client);
  }

  /** An event that is pushed, not asked for. */
  push(
    [from, to, protocol]: readonly [Actor, Actor, Call['protocol']],
    topic: string,
    details: Details,
  ): string {
    const client = this.newSpanId();
    return this.#message(from, ['event', { client, from, to, protocol }], topic, details);
  }

  process(
    teller: Actor,
    [change, actor]: readonly [ProcessEvent['change'], Actor],
    process: ProcessEvent['process'],
    { cause, level, ...more }: Details & Partial<Pick<ProcessEvent, 'exit' | 'attributes'>>,
  ): string {
    const id = `process/${process.pid}/${change}`;
    return this.say(teller, {
      type: 'process',
      id,
      change,
      actor,
      process,
      cause,
      level,
      attributes: {},
      ...(this.containerId !== null && OF_A_CONTAINER.has(actor)
        ? { containerId: this.containerId }
        : {}),
      ...more,
    });
  }

  /** What runc (and the init that it made) asks the kernel, one after the other; the shim tells it. */
  syscalls(
    spanId: string,
    lines: readonly SyscallLine[],
    pids: Readonly<Record<'runc' | 'container', number>>,
  ): void {
    for (const [
      index,
      [who, name, detail, title, object, level = 'detail', more = {}],
    ] of lines.entries()) {
      const endMono = this.#monoAt(this.#micros + 40);
      const result = more.errno ? -1 : 0;
      const said = {
        type: 'syscall',
        spanId,
        cause: spanStartedId(spanId),
        level,
        endMono,
        result,
      } as const;
      const call = {
        name,
        detail,
        title,
        object,
        errno: null,
        ignored: Boolean(more.errno),
        attributes: {},
        ...more,
      };
      this.say('shim', {
        ...said,
        ...call,
        id: `${spanId}/syscall/${who}-${index}`,
        caller: { actor: who, pid: pids[who] },
      });
      this.#micros += 70 + index * 9;
    }
  }

  #message(
    teller: Actor,
    [direction, { client, from, to, protocol }]: readonly [Message['direction'], Seam],
    summary: string,
    { cause, level, body = null }: Details,
  ): string {
    const id = {
      request: requestId(client),
      response: responseId(client),
      event: `${client}/event`,
    }[direction];
    const text = `${protocol === 'http' && direction === 'request' ? `${summary} HTTP/1.1\r\n\r\n` : ''}${JSON.stringify(body)}`;
    return this.say(teller, {
      type: 'message',
      id,
      cause,
      level,
      spanId: client,
      protocol,
      direction,
      from: { actor: from, pid: this.#pids[from] },
      to: { actor: to, pid: this.#pids[to] },
      summary,
      body,
      raw: { base64: btoa(text), sizeBytes: text.length, truncated: false },
    });
  }

  #monoAt(micros: number): string {
    return (BOOT_NS + BigInt(Math.round(micros * 1000))).toString();
  }
}
