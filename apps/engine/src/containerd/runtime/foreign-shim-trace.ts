/**
 * The trace of a task whose shim is not ours and tells nothing: what containerd itself sees of it. That is what the shim
 * publishes, and what /proc has to say of the processes that it speaks of; all of it carries the attribute
 * `engineroom.topology.component`. Which runtime the shim has called, and with which steps, nobody here has seen.
 */
import { fromBinary, type DescMessage } from '@bufbuild/protobuf';
import { basename } from 'node:path';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import {
  TaskCreateSchema,
  TaskExecStartedSchema,
  TaskExitSchema,
  TaskOOMSchema,
  TaskStartSchema,
} from '../../protocol/gen/containerd/task-events_pb.ts';
import type { Attributes } from '../../protocol/trace/event.ts';
import { processId, taskEventId } from '../../protocol/trace/event-id.ts';
import { withContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { tellMessage } from '../../transport/rpc-trace.ts';
import { processFacts } from './process-facts.ts';
import type { Task } from './task.ts';

type Change = 'fork' | 'exec' | 'exit';

/** What is told of a topic: the process's change, if it is one. */
const TOPICS: Readonly<Record<string, { schema: DescMessage; change: Change | null }>> = {
  '/tasks/create': { schema: TaskCreateSchema, change: 'fork' },
  '/tasks/start': { schema: TaskStartSchema, change: 'exec' },
  '/tasks/exec-started': { schema: TaskExecStartedSchema, change: 'exec' },
  '/tasks/exit': { schema: TaskExitSchema, change: 'exit' },
  '/tasks/oom': { schema: TaskOOMSchema, change: null },
};

interface Fields {
  readonly containerId?: string;
  readonly id?: string;
  readonly execId?: string;
  readonly pid?: number;
  readonly exitStatus?: number;
}

/** Of which container an event speaks; undefined when nothing is told of such events. */
export const containerIn = ({ topic, event }: Envelope): string | undefined => {
  const known = TOPICS[topic];
  return known && event ? (fromBinary(known.schema, event.value) as Fields).containerId : undefined;
};

/** An event that a foreign shim has published of its task. */
export const tellForeignEvent = (tracer: Tracer, task: Task, { topic, event }: Envelope): void => {
  const known = TOPICS[topic];
  if (!known || !event || !task.context) return;
  const { schema, change } = known;
  const message = fromBinary(schema, event.value);
  const { containerId = '', id, execId, pid = 0, exitStatus = 0 } = message as Fields;
  const subject = execId || id || containerId;
  const { context } = task;
  withContext(context, () => {
    if (change) {
      const facts = change === 'exit' ? undefined : processFacts(pid);
      tracer.emit({
        type: 'process',
        id: processId(pid, change),
        change,
        actor: 'container',
        process: {
          pid,
          ppid: facts?.ppid ?? null,
          name: facts?.argv[0] ?? subject.slice(0, NAME_LENGTH),
          ...(facts && change === 'exec' ? { argv: facts.argv } : {}),
        },
        ...(change === 'exit'
          ? { exit: { code: exitStatus }, cause: processId(pid, 'exec') }
          : change === 'exec' && subject === containerId
            ? { cause: processId(pid, 'fork') }
            : {}),
        containerId,
        level: change === 'exit' && subject === containerId ? 'chapter' : 'step',
        source: __SOURCE__,
        attributes: { 'container.id': containerId, 'process.pid': pid, ...seenFromOutside(task) },
      });
    }
    tracer.emit({
      type: 'message',
      id: `seen/${taskEventId(topic, containerId, subject, pid)}`,
      spanId: context.spanId,
      ...(change ? { cause: processId(pid, change) } : {}),
      protocol: 'ttrpc',
      direction: 'event',
      from: { actor: 'shim', pid: null },
      to: { actor: 'containerd', pid: process.pid },
      summary: `Forward ${topic}`,
      level: change === 'exit' ? 'step' : 'detail',
      source: __SOURCE__,
      ...tellMessage(schema, message, event.value),
    });
  });
};

/** A shim that was sent away, and has hung up. */
export const tellForeignShimGone = (tracer: Tracer, task: Task, pid: number): void =>
  withContext(task.context, () =>
    tracer.emit({
      type: 'process',
      id: processId(pid, 'exit'),
      change: 'exit',
      actor: 'shim',
      process: { pid, ppid: null, name: basename(task.binary.path) },
      containerId: task.bundle.id,
      level: 'step',
      source: __SOURCE__,
      attributes: { 'process.pid': pid, ...seenFromOutside(task) },
    }),
  );

export const seenFromOutside = ({ binary }: Pick<Task, 'binary'>): Attributes =>
  binary.isOurs ? {} : { 'engineroom.topology.component': binary.path };

const NAME_LENGTH = 12;
