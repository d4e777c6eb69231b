/**
 * What a trace event must look like before the lab or the page believes it: `event.ts` as a check at run time, with
 * limits to what may be said at once.
 */
import type {
  Actor,
  Attributes,
  DroppedEvent,
  EventBase,
  Message,
  OutputEvent,
  ProcessEvent,
  RawBytes,
  SpanEvent,
  SpanEnded,
  SpanStarted,
  SyscallEvent,
  TraceEvent,
} from './event.ts';
import {
  anything,
  byType,
  count,
  flag,
  integer,
  LIST_MAX,
  isRecord,
  listOf,
  number,
  object,
  oneOf,
  only,
  orNull,
  text,
  TEXT_MAX,
  textLike,
  type Shape,
} from './shape.ts';

const actor = oneOf<Actor>(
  'docker',
  'client',
  'dockerd',
  'containerd',
  'shim',
  'runc',
  'container',
  'kernel',
  'lab',
);
const pid = count(2 ** 31);
const name = text(1024);
const id = text(256);
const word = text(128);
const traceId = textLike(/^[0-9a-f]{32}$/);
const spanId = textLike(/^[0-9a-f]{16}$/);
const decimal = textLike(/^\d{1,20}$/);
const base64 = textLike(/^[A-Za-z0-9+/]*={0,2}$/);
const long = text();

const isLong = (value: unknown): boolean => typeof value === 'string' && value.length <= TEXT_MAX;
const isAttribute = (value: unknown): boolean =>
  isLong(value) ||
  Number.isFinite(value) ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.length <= LIST_MAX && value.every(isLong));
const attributes: Shape<Attributes> = only(
  (value) =>
    isRecord(value) &&
    Object.keys(value).every(
      (key) => key.length <= 256 && key !== '__proto__' && isAttribute(value[key]),
    ),
  'is not a set of attributes',
);

const party = object<Message['from']>({ actor, pid: orNull(pid) });
const emitter = object<EventBase['emitter']>({ actor, pid, n: count() });
const level = oneOf('chapter', 'step', 'detail');
const base = { id: text(256, 1), traceId, cause: orNull(id), mono: decimal, level, emitter };
const source = text(512);

/** What every event has, whatever it tells. */
export const eventBase: Shape<EventBase> = object<EventBase>(base, { source });

const kinds: { readonly [K in TraceEvent['type']]: Shape<Extract<TraceEvent, { type: K }>> } = {
  spanStarted: object<SpanStarted>(
    {
      ...base,
      type: oneOf('spanStarted'),
      spanId,
      parentSpanId: orNull(spanId),
      name,
      kind: oneOf('server', 'client', 'internal'),
      attributes,
    },
    {
      source,
      links: listOf(object<NonNullable<SpanStarted['links']>[number]>({ traceId }, { spanId }), 64),
    },
  ),
  spanEvent: object<SpanEvent>(
    { ...base, type: oneOf('spanEvent'), spanId, name, attributes },
    { source },
  ),
  spanEnded: object<SpanEnded>(
    {
      ...base,
      type: oneOf('spanEnded'),
      spanId,
      status: object<SpanEnded['status']>({ code: oneOf('ok', 'error') }, { message: long }),
      attributes,
    },
    { source },
  ),
  message: object<Message>(
    {
      ...base,
      type: oneOf('message'),
      spanId,
      protocol: oneOf('http', 'grpc', 'ttrpc', 'exec', 'fifo', 'signal'),
      direction: oneOf('request', 'response', 'event'),
      from: party,
      to: party,
      summary: name,
      body: anything,
      raw: orNull(object<RawBytes>({ base64, sizeBytes: count(), truncated: flag })),
    },
    { source },
  ),
  process: object<ProcessEvent>(
    {
      ...base,
      type: oneOf('process'),
      change: oneOf('fork', 'exec', 'claimed', 'reparent', 'exit'),
      actor,
      process: object<ProcessEvent['process']>(
        { pid, ppid: orNull(pid), name },
        { argv: listOf(long, 4096), startTime: decimal },
      ),
      attributes,
    },
    {
      source,
      exit: object<NonNullable<ProcessEvent['exit']>>({ code: integer }, { signal: text(32) }),
      containerId: word,
    },
  ),
  syscall: object<SyscallEvent>(
    {
      ...base,
      type: oneOf('syscall'),
      spanId,
      caller: object<SyscallEvent['caller']>({ actor, pid }),
      name,
      detail: long,
      title: name,
      object: oneOf(
        'namespace',
        'cgroup',
        'mount',
        'root',
        'device',
        'capability',
        'seccomp',
        'identity',
        'limit',
        'network',
        'stdio',
        'process',
        'sync',
      ),
      endMono: decimal,
      result: number,
      errno: orNull(text(32)),
      ignored: flag,
      attributes,
    },
    { source, reference: text(512) },
  ),
  output: object<OutputEvent>(
    {
      ...base,
      type: oneOf('output'),
      containerId: word,
      stream: oneOf('stdout', 'stderr', 'tty'),
      offset: count(),
      base64,
      sizeBytes: count(),
      truncated: flag,
    },
    { source },
  ),
  dropped: object<DroppedEvent>(
    { ...base, type: oneOf('dropped'), actor, pid, count: count() },
    { source },
  ),
};

/** False for an event of a vocabulary newer than this one. */
export const isEventType = (type: unknown): boolean =>
  typeof type === 'string' && Object.hasOwn(kinds, type);

export const traceEvent: Shape<TraceEvent> = byType<TraceEvent>(kinds);
