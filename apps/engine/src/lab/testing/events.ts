/** Builds trace events for the lab's tests. */
import type {
  ProcessEvent,
  SpanEnded,
  SpanEvent,
  SpanStarted,
  TraceEvent,
} from '../../protocol/trace/event.ts';

export const TRACE = 'a'.repeat(32);
export const SPAN = 'b'.repeat(16);

let made = 0;

const base = (traceId: string) => ({
  id: `event/${made++}`,
  traceId,
  cause: null,
  mono: process.hrtime.bigint().toString(),
  level: 'detail' as const,
  emitter: { actor: 'dockerd' as const, pid: 4242, n: 0 },
});

export const aSpanEvent = (changes: Partial<SpanEvent> = {}): SpanEvent => ({
  ...base(TRACE),
  type: 'spanEvent',
  spanId: SPAN,
  name: 'something',
  attributes: {},
  ...changes,
});

export const aSpanStarted = (changes: Partial<SpanStarted> = {}): SpanStarted => ({
  ...base(TRACE),
  type: 'spanStarted',
  spanId: SPAN,
  parentSpanId: null,
  name: 'docker run',
  kind: 'client',
  attributes: {},
  ...changes,
});

export const aSpanEnded = (changes: Partial<SpanEnded> = {}): SpanEnded => ({
  ...base(TRACE),
  type: 'spanEnded',
  spanId: SPAN,
  status: { code: 'ok' },
  attributes: {},
  ...changes,
});

export const aProcess = (changes: Partial<ProcessEvent> = {}): ProcessEvent => ({
  ...base(TRACE),
  type: 'process',
  change: 'exec',
  actor: 'docker',
  process: {
    pid: 77,
    ppid: 1,
    name: 'docker',
    argv: ['/usr/bin/docker', 'run', 'busybox', 'echo', 'a b'],
  },
  attributes: {},
  ...changes,
});

export const from = <T extends TraceEvent>(event: T, emitter: Partial<T['emitter']>): T => ({
  ...event,
  emitter: { ...event.emitter, ...emitter },
});
