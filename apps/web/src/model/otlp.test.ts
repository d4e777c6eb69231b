import { expect, test } from 'vitest';
import { aRun } from './a-run.fixture.ts';
import { otlpOf } from './otlp.ts';
import { RunModel } from './run-model.ts';

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: object }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly kind: number;
        readonly events: readonly { timeUnixNano: string }[];
      }[];
    }[];
  }[];
}

const events = aRun();
const model = new RunModel();
model.add(events);
const mono = events[0]?.mono ?? '';
const out = otlpOf(model, { anchor: { mono, unixNano: '1700000000000000000' } }) as Exported;
const spans = out.resourceSpans.flatMap(({ scopeSpans }) =>
  scopeSpans.flatMap((scope) => scope.spans),
);

test('every span and every system call is there, once, with ids as OTLP wants them', () => {
  const calls = events.filter(({ type }) => type === 'syscall').length;
  const started = events.filter(({ type }) => type === 'spanStarted').length;
  expect(spans).toHaveLength(calls + started);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  for (const span of spans) {
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.kind).toBeGreaterThanOrEqual(1);
  }
});

test('times are decimal strings on the wall clock, and no span ends before it begins', () => {
  for (const { startTimeUnixNano: start, endTimeUnixNano: end } of spans) {
    expect(start).toMatch(/^17000000000\d{8}$/);
    expect(BigInt(end) >= BigInt(start)).toBe(true);
  }
});

test('each process is a resource with the name that ps shows', () => {
  const names = out.resourceSpans.map(({ resource }) => JSON.stringify(resource.attributes));
  expect(names.some((name) => name.includes('"stringValue":"dockerd"'))).toBe(true);
  expect(names.some((name) => name.includes('"stringValue":"runc"'))).toBe(true);
});
