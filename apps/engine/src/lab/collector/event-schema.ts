/**
 * What a trace event must look like before the lab believes it: `protocol/trace/event.ts` as a check at run time.
 * Unknown fields are cut off, so nothing reaches a page that the vocabulary does not name.
 */
import * as z from 'zod';
import type { TraceEvent } from '../../protocol/trace/event.ts';

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
const attributes = z.record(
  z.string().max(256),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
);

const base = {
  id: z.string().min(1).max(256),
  traceId: hex(32),
  cause: z.string().max(256).nullable(),
  mono: decimal,
  level: z.enum(['chapter', 'step', 'detail']),
  emitter: z.object({ actor, pid, n: count }),
  source: z.string().max(512).exactOptional(),
};

const spanStarted = z.object({
  ...base,
  type: z.literal('spanStarted'),
  spanId: hex(16),
  parentSpanId: hex(16).nullable(),
  name,
  kind: z.enum(['server', 'client', 'internal']),
  attributes,
  links: z
    .array(z.object({ traceId: hex(32), spanId: hex(16).exactOptional() }))
    .max(64)
    .exactOptional(),
});

const spanEvent = z.object({
  ...base,
  type: z.literal('spanEvent'),
  spanId: hex(16),
  name,
  attributes,
});

const spanEnded = z.object({
  ...base,
  type: z.literal('spanEnded'),
  spanId: hex(16),
  status: z.object({ code: z.enum(['ok', 'error']), message: z.string().exactOptional() }),
  attributes,
});

const message = z.object({
  ...base,
  type: z.literal('message'),
  spanId: hex(16),
  protocol: z.enum(['http', 'grpc', 'ttrpc', 'exec', 'fifo', 'signal']),
  direction: z.enum(['request', 'response', 'event']),
  from: z.object({ actor, pid: pid.nullable() }),
  to: z.object({ actor, pid: pid.nullable() }),
  summary: name,
  // `unknown` also accepts a missing key, which JSON.stringify makes of undefined.
  body: z.unknown().transform((body) => body ?? null),
  raw: z.object({ base64, sizeBytes: count, truncated: z.boolean() }).nullable(),
});

const processEvent = z.object({
  ...base,
  type: z.literal('process'),
  change: z.enum(['fork', 'exec', 'claimed', 'reparent', 'exit']),
  actor,
  process: z.object({
    pid,
    ppid: pid.nullable(),
    name,
    argv: z.array(z.string()).max(4096).exactOptional(),
    startTime: decimal.exactOptional(),
  }),
  exit: z.object({ code: z.int(), signal: z.string().max(32).exactOptional() }).exactOptional(),
  containerId: z.string().max(128).exactOptional(),
  attributes,
});

const syscall = z.object({
  ...base,
  type: z.literal('syscall'),
  spanId: hex(16),
  caller: z.object({ actor, pid }),
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

const output = z.object({
  ...base,
  type: z.literal('output'),
  containerId: z.string().max(128),
  stream: z.enum(['stdout', 'stderr', 'tty']),
  offset: count,
  base64,
  sizeBytes: count,
  truncated: z.boolean(),
});

const dropped = z.object({ ...base, type: z.literal('dropped'), actor, pid, count });

const traceEvent = z.discriminatedUnion('type', [
  spanStarted,
  spanEvent,
  spanEnded,
  message,
  processEvent,
  syscall,
  output,
  dropped,
]) satisfies z.ZodType<TraceEvent>;

/** The event in a line of JSON, or a sentence that says what is wrong with it. */
export const parseEvent = (line: string): TraceEvent | { readonly problem: string } => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: 'a line is not JSON' };
  }
  const result = traceEvent.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return { problem: issue ? `${issue.path.join('.')}: ${issue.message}` : 'not a trace event' };
};
