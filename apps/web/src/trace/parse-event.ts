/**
 * Is this really an event? A trace file may come from anywhere, so each line is checked against
 * `protocol/trace/event.ts` before the model believes it. By hand: a schema library would weigh more than the page.
 */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type { TraceFileHeader, TraceSummary } from '@engine-room/engine/protocol/trace/stream.ts';

import { readable } from './readable.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value.length <= 1_000_000;
const isWord: Check = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= 1024;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isDecimal: Check = (value) => typeof value === 'string' && /^\d{1,20}$/.test(value);
const isBase64: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
const isTraceId: Check = (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
const isAnything: Check = () => true;

const oneOf = (...words: readonly string[]): Check => {
  const set = new Set(words);
  return (value) => typeof value === 'string' && set.has(value);
};
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 10_000 && value.every(check);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shape = (fields: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(fields);
  return (value) => isRecord(value) && entries.every(([field, check]) => check(value[field]));
};

const isAttribute: Check = (value) =>
  isText(value) || isNumber(value) || isFlag(value) || listOf(isText)(value);
const isAttributes: Check = (value) => isRecord(value) && Object.values(value).every(isAttribute);

const isActor = oneOf(
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
const isEndpoint = shape({ actor: isActor, pid: orNull(isCount) });

const isBase = shape({
  id: isWord,
  traceId: isTraceId,
  cause: orNull(isText),
  mono: isDecimal,
  level: oneOf('chapter', 'step', 'detail'),
  emitter: shape({ actor: isActor, pid: isCount, n: isCount }),
  source: optional(isText),
  seq: isCount,
});

const KINDS: Readonly<Record<SequencedEvent['type'], Check>> = {
  spanStarted: shape({
    spanId: isWord,
    parentSpanId: orNull(isWord),
    name: isText,
    kind: oneOf('server', 'client', 'internal'),
    attributes: isAttributes,
  }),
  spanEvent: shape({ spanId: isWord, name: isText, attributes: isAttributes }),
  spanEnded: shape({
    spanId: isWord,
    status: shape({ code: oneOf('ok', 'error'), message: optional(isText) }),
    attributes: isAttributes,
  }),
  message: shape({
    spanId: isWord,
    protocol: oneOf('http', 'grpc', 'ttrpc', 'exec', 'fifo', 'signal'),
    direction: oneOf('request', 'response', 'event'),
    from: isEndpoint,
    to: isEndpoint,
    summary: isText,
    body: isAnything,
    raw: orNull(shape({ base64: isBase64, sizeBytes: isCount, truncated: isFlag })),
  }),
  process: shape({
    change: oneOf('fork', 'exec', 'claimed', 'reparent', 'exit'),
    actor: isActor,
    process: shape({
      pid: isCount,
      ppid: orNull(isCount),
      name: isText,
      argv: optional(listOf(isText)),
      startTime: optional(isDecimal),
    }),
    exit: optional(shape({ code: isNumber, signal: optional(isText) })),
    containerId: optional(isText),
    attributes: isAttributes,
  }),
  syscall: shape({
    spanId: isWord,
    caller: shape({ actor: isActor, pid: isCount }),
    name: isText,
    detail: isText,
    title: isText,
    object: isWord,
    endMono: isDecimal,
    result: isNumber,
    errno: orNull(isText),
    ignored: isFlag,
    reference: optional(isText),
    attributes: isAttributes,
  }),
  output: shape({
    containerId: isText,
    stream: oneOf('stdout', 'stderr', 'tty'),
    offset: isCount,
    base64: isBase64,
    sizeBytes: isCount,
    truncated: isFlag,
  }),
  dropped: shape({ actor: isActor, pid: isCount, count: isCount }),
};

const isKind = (type: string): type is SequencedEvent['type'] => Object.hasOwn(KINDS, type);

export type ParsedEvent =
  | { readonly event: SequencedEvent }
  /** `unknownKind`: well-formed, but of a vocabulary newer than this page's. */
  | { readonly problem: 'damaged' | 'unknownKind' };

export const parseEvent = (value: unknown): ParsedEvent => {
  if (!isRecord(value) || !isBase(value) || typeof value['type'] !== 'string')
    return { problem: 'damaged' };
  const { type } = value;
  if (!isKind(type)) return { problem: 'unknownKind' };
  return KINDS[type](value)
    ? { event: readable(value) as unknown as SequencedEvent }
    : { problem: 'damaged' };
};

const isSummaryShape = shape({
  traceId: isTraceId,
  title: isText,
  argv: orNull(listOf(isText)),
  origin: oneOf('page', 'external', 'recording'),
  state: oneOf('running', 'ended'),
  exitCode: orNull(isNumber),
  anchor: shape({ mono: isDecimal, unixNano: isDecimal }),
  eventCount: isCount,
  links: listOf(isText),
  containerIds: listOf(isText),
});

export const isSummary = (value: unknown): value is TraceSummary => isSummaryShape(value);

export const isFileHeader = (value: unknown): value is TraceFileHeader =>
  isRecord(value) &&
  value['format'] === 'engine-room-trace' &&
  isCount(value['version']) &&
  isSummary(value['summary']) &&
  isText(value['recordedAt']) &&
  isText(value['machine']);
