/**
 * What a trace event must look like before the lab believes it: `protocol/trace/event.ts` as a check at run time.
 * Unknown fields are cut off, so nothing reaches a page that the vocabulary does not name. A line that has none (as each
 * of the engine's own) goes on as it came: to write it once more would cost as much as to read it.
 */
import * as z from 'zod';
import type { Attributes, TraceEvent } from '../../protocol/trace/event.ts';

const actor = z.enum([
  'docker',
  'client',
  'dockerd',
  'containerd',
  'shim',
  'runc',
  'container',
  'kernel',
  'lab',
]);
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const pid = z
  .int()
  .min(0)
  .max(2 ** 31);
const name = z.string().max(1024);
const count = z.int().min(0);
const decimal = z.string().regex(/^\d{1,20}$/);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

const isAttribute = (value: unknown): boolean =>
  typeof value === 'string' ||
  Number.isFinite(value) ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.every((item) => typeof item === 'string'));
/** By hand: `z.record` makes a copy of each set, which is a fifth of the time that an event takes. */
const attributes = z.custom<Attributes>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([key, item]) => key.length <= 256 && key !== '__proto__' && isAttribute(item),
    ),
  'not a set of attributes',
);

/** `object`: `z.object`, which cuts off what is not named, or `z.strictObject`, which refuses it. */
const vocabulary = (object: typeof z.object) => {
  const base = {
    id: z.string().min(1).max(256),
    traceId: hex(32),
    cause: z.string().max(256).nullable(),
    mono: decimal,
    level: z.enum(['chapter', 'step', 'detail']),
    emitter: object({ actor, pid, n: count }),
    source: z.string().max(512).exactOptional(),
  };

  const spanStarted = object({
    ...base,
    type: z.literal('spanStarted'),
    spanId: hex(16),
    parentSpanId: hex(16).nullable(),
    name,
    kind: z.enum(['server', 'client', 'internal']),
    attributes,
    links: z
      .array(object({ traceId: hex(32), spanId: hex(16).exactOptional() }))
      .max(64)
      .exactOptional(),
  });

  const spanEvent = object({
    ...base,
    type: z.literal('spanEvent'),
    spanId: hex(16),
    name,
    attributes,
  });

  const spanEnded = object({
    ...base,
    type: z.literal('spanEnded'),
    spanId: hex(16),
    status: object({ code: z.enum(['ok', 'error']), message: z.string().exactOptional() }),
    attributes,
  });

  const message = object({
    ...base,
    type: z.literal('message'),
    spanId: hex(16),
    protocol: z.enum(['http', 'grpc', 'ttrpc', 'exec', 'fifo', 'signal']),
    direction: z.enum(['request', 'response', 'event']),
    from: object({ actor, pid: pid.nullable() }),
    to: object({ actor, pid: pid.nullable() }),
    summary: name,
    body: z.unknown(),
    raw: object({ base64, sizeBytes: count, truncated: z.boolean() }).nullable(),
  });

  const processEvent = object({
    ...base,
    type: z.literal('process'),
    change: z.enum(['fork', 'exec', 'claimed', 'reparent', 'exit']),
    actor,
    process: object({
      pid,
      ppid: pid.nullable(),
      name,
      argv: z.array(z.string()).max(4096).exactOptional(),
      startTime: decimal.exactOptional(),
    }),
    exit: object({ code: z.int(), signal: z.string().max(32).exactOptional() }).exactOptional(),
    containerId: z.string().max(128).exactOptional(),
    attributes,
  });

  const syscall = object({
    ...base,
    type: z.literal('syscall'),
    spanId: hex(16),
    caller: object({ actor, pid }),
    name,
    detail: z.string(),
    title: name,
    object: z.enum([
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
    ]),
    endMono: decimal,
    result: z.number(),
    errno: z.string().max(32).nullable(),
    ignored: z.boolean(),
    reference: z.string().max(512).exactOptional(),
    attributes,
  });

  const output = object({
    ...base,
    type: z.literal('output'),
    containerId: z.string().max(128),
    stream: z.enum(['stdout', 'stderr', 'tty']),
    offset: count,
    base64,
    sizeBytes: count,
    truncated: z.boolean(),
  });

  const dropped = object({ ...base, type: z.literal('dropped'), actor, pid, count });

  return z.discriminatedUnion('type', [
    spanStarted,
    spanEvent,
    spanEnded,
    message,
    processEvent,
    syscall,
    output,
    dropped,
  ]);
};

const cut: z.ZodType<TraceEvent> = vocabulary(z.object);
const whole: z.ZodType<TraceEvent> = vocabulary(z.strictObject as typeof z.object);

type Problem = { readonly problem: string };

/** The event in a line of JSON, or a sentence that says what is wrong with it. */
export const parseEvent = (line: string): TraceEvent | Problem => {
  const value = parseJson(line);
  return 'problem' in value ? value : check(value.json);
};

/** The same, and its JSON as it may be passed on: one object, from brace to brace. */
export const readEvent = (
  line: string,
): { readonly event: TraceEvent; readonly json: string } | Problem => {
  const value = parseJson(line);
  if ('problem' in value) return value;
  const known = whole.safeParse(value.json);
  if (known.success && line.endsWith('}')) return { event: known.data, json: line };
  const event = check(value.json);
  return 'problem' in event ? event : { event, json: JSON.stringify(event) };
};

const parseJson = (line: string): { readonly json: unknown } | Problem => {
  try {
    return { json: JSON.parse(line) };
  } catch {
    return { problem: 'a line is not JSON' };
  }
};

const check = (value: unknown): TraceEvent | Problem => {
  const result = cut.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return { problem: issue ? `${issue.path.join('.')}: ${issue.message}` : 'not a trace event' };
};
