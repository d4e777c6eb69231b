/**
 * Tells the trace of a task event that travels to dockerd. It rides a stream that was opened long before, so nothing
 * carries the trace along: the event was published inside the trace of its container, and that is where it is told.
 */
import { fromBinary, type DescMessage } from '@bufbuild/protobuf';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExitSchema,
  TaskOOMSchema,
  TaskStartSchema,
} from '../../protocol/gen/containerd/task-events_pb.ts';
import type { Level } from '../../protocol/trace/event.ts';
import { taskEventId } from '../../protocol/trace/event-id.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { USER_AGENT } from '../../transport/grpc-metadata.ts';
import { tellMessage } from '../../transport/rpc-trace.ts';
import type { Delivery } from './exchange.ts';

const SCHEMAS: Readonly<Record<string, { schema: DescMessage; level: Level }>> = {
  '/tasks/create': { schema: TaskCreateSchema, level: 'detail' },
  '/tasks/start': { schema: TaskStartSchema, level: 'detail' },
  '/tasks/exit': { schema: TaskExitSchema, level: 'chapter' },
  '/tasks/oom': { schema: TaskOOMSchema, level: 'step' },
  '/tasks/delete': { schema: TaskDeleteSchema, level: 'detail' },
};

export class EventTeller {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Called when the event is about to be written to a subscriber. */
  delivered({ envelope, context }: Delivery, metadata: ReadonlyMap<string, string>): void {
    const known = SCHEMAS[envelope.topic];
    // What other subscribers get is nobody's run.
    if (!context || !known || metadata.get('user-agent') !== USER_AGENT) return;
    const bytes = envelope.event?.value ?? new Uint8Array();
    const message = fromBinary(known.schema, bytes);
    const { containerId, id, pid } = subjectOf(envelope);
    this.#tracer.emit({
      type: 'message',
      id: taskEventId(envelope.topic, containerId, id, pid),
      traceId: context.traceId,
      spanId: context.spanId,
      cause: `${context.spanId}/start`,
      protocol: 'grpc',
      direction: 'event',
      from: { actor: 'containerd', pid: process.pid },
      to: { actor: 'dockerd', pid: null },
      summary: envelope.topic,
      level: known.level,
      source: __SOURCE__,
      ...tellMessage(known.schema, message, bytes),
    });
  }
}

/** Whom a task event speaks of. `id` is the container for its first process, the exec id otherwise. */
export const subjectOf = ({
  topic,
  event,
}: Envelope): { containerId: string; id: string; pid: number } => {
  const known = SCHEMAS[topic];
  if (!known || !event) return { containerId: '', id: '', pid: 0 };
  const message = fromBinary(known.schema, event.value) as {
    containerId?: string;
    id?: string;
    pid?: number;
  };
  const containerId = message.containerId ?? '';
  return {
    containerId,
    id: message.id === undefined || message.id === '' ? containerId : message.id,
    pid: message.pid ?? 0,
  };
};
