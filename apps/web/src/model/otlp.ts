/**
 * A run as OTLP/JSON, which Jaeger and every OpenTelemetry collector open: spans as they were, messages and moments as
 * events of their spans, system calls as spans below the one that made them.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import type {
  Attributes,
  AttributeValue,
  SequencedEvent,
  SyscallEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import type { TraceSummary } from '@engine-room/engine/protocol/trace/stream.ts';
import type { RunModel } from './run-model.ts';

const KINDS = { internal: 1, server: 2, client: 3 } as const;
const OK = 1;
const ERROR = 2;

interface KeyValue {
  readonly key: string;
  readonly value: unknown;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly events: { timeUnixNano: string; name: string; attributes: readonly KeyValue[] }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Emitter {
  readonly actor: string;
  readonly pid: number;
}

export const otlpOf = (model: RunModel, { anchor }: Pick<TraceSummary, 'anchor'>): unknown => {
  const unix = (mono: string): string =>
    (BigInt(anchor.unixNano) + BigInt(mono) - BigInt(anchor.mono)).toString();
  const resources = new Map<string, { emitter: Emitter; spans: OtlpSpan[] }>();
  const spansById = new Map<string, OtlpSpan>();
  const put = (emitter: Emitter, span: OtlpSpan): void => {
    const key = `${emitter.actor}/${emitter.pid}`;
    const resource = resources.get(key) ?? { emitter, spans: [] };
    resources.set(key, resource);
    resource.spans.push(span);
  };
  const lastMono = model.order.placed.at(-1)?.event.mono ?? anchor.mono;

  for (const spanId of model.spanIds()) {
    const { started, ended } = model.span(spanId) ?? {};
    if (!started) continue;
    const span: OtlpSpan = {
      traceId: started.traceId,
      spanId,
      ...(started.parentSpanId === null ? {} : { parentSpanId: started.parentSpanId }),
      name: started.name,
      kind: KINDS[started.kind],
      startTimeUnixNano: unix(started.mono),
      endTimeUnixNano: unix(ended?.mono ?? lastMono),
      attributes: keyValues({ ...started.attributes, ...ended?.attributes }),
      events: [],
      status: statusOf(ended?.status),
    };
    spansById.set(spanId, span);
    put(started.emitter, span);
  }
  for (const { event } of model.order.placed) {
    if (event.type === 'syscall') put(callerOf(event), spanOfCall(event, unix));
    else {
      const moment = momentOf(event);
      const spanId = 'spanId' in event ? event.spanId : spanOfCause(model, event);
      if (moment && spanId !== null)
        spansById.get(spanId)?.events.push({ timeUnixNano: unix(event.mono), ...moment });
    }
  }
  return {
    resourceSpans: [...resources.values()].map(({ emitter, spans }) => ({
      resource: {
        attributes: keyValues({ 'service.name': emitter.actor, 'process.pid': emitter.pid }),
      },
      scopeSpans: [{ scope: { name: 'engine-room' }, spans }],
    })),
  };
};

const callerOf = ({ caller }: SyscallEvent): Emitter => caller;

function spanOfCall(call: SyscallEvent, unix: (mono: string) => string): OtlpSpan {
  return {
    traceId: call.traceId,
    spanId: idOf(call.id),
    parentSpanId: call.spanId,
    name: call.name,
    kind: KINDS.internal,
    startTimeUnixNano: unix(call.mono),
    endTimeUnixNano: unix(call.endMono),
    attributes: keyValues({ 'engineroom.syscall': call.detail, ...call.attributes }),
    events: [],
    status: call.errno === null || call.ignored ? {} : { code: ERROR, message: call.errno },
  };
}

const statusOf = (
  status: { readonly code: 'ok' | 'error'; readonly message?: string } | undefined,
): OtlpSpan['status'] => {
  if (!status) return {};
  return status.code === 'ok'
    ? { code: OK }
    : { code: ERROR, ...(status.message === undefined ? {} : { message: status.message }) };
};

function momentOf(event: SequencedEvent): { name: string; attributes: readonly KeyValue[] } | null {
  switch (event.type) {
    case 'message':
      return {
        name: `${event.direction} ${event.summary}`,
        attributes: keyValues({ 'network.protocol.name': event.protocol }),
      };
    case 'spanEvent':
      return { name: event.name, attributes: keyValues(event.attributes) };
    case 'process':
      return {
        name: `process ${event.change}`,
        attributes: keyValues({ 'process.pid': event.process.pid, ...event.attributes }),
      };
    case 'output':
      return {
        name: `container ${event.stream}`,
        attributes: keyValues({
          'container.id': event.containerId,
          'messaging.message.body.size': event.sizeBytes,
        }),
      };
    default:
      return null;
  }
}

/** Births, deaths and output belong to no span of their own: they are told in the one that they follow from. */
function spanOfCause(model: RunModel, event: SequencedEvent): string | null {
  const seen = new Set<string>();
  for (let cause = event.cause; cause !== null && !seen.has(cause);) {
    seen.add(cause);
    const placed = model.placed(cause)?.event;
    if (!placed) return null;
    if ('spanId' in placed) return placed.spanId;
    cause = placed.cause;
  }
  return null;
}

const keyValues = (attributes: Attributes): readonly KeyValue[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: AttributeValue): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((item) => ({ stringValue: item })) } };
}

/** FNV-1a, 64 bits: the same 16 hex digits for the same event. */
function idOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const char of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(char)) * 0x100000001b3n);
  return (hash === 0n ? 1n : hash).toString(16).padStart(16, '0');
}
