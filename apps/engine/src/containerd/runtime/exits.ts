/**
 * Exits are told once. Shims forward them; after a restart the state of a shim tells them; a dead shim is told for.
 * The same exit may come by two of these ways, and no way may lose it.
 * The end of a task is told before its deletion is answered: what its client does next is told after it.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampNow, type Timestamp } from '@bufbuild/protobuf/wkt';
import { EnvelopeSchema, type Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { TaskDeleteSchema, TaskExitSchema } from '../../protocol/gen/containerd/task-events_pb.ts';
import type { EventExchange } from '../events/exchange.ts';
import { subjectOf } from '../events/teller.ts';
import { taskKey } from './task.ts';

export interface Exit {
  readonly namespace: string;
  readonly id: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}

const EXIT_TOPIC = '/tasks/exit';
const DELETE_TOPIC = '/tasks/delete';

interface End {
  readonly told: Promise<void>;
  readonly tell: () => void;
}

const newEnd = (): End => {
  let tell: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { told, tell };
};

export class Exits {
  readonly #events: EventExchange;
  /** By task: which of its processes have been told. */
  readonly #told = new Map<string, Set<string>>();
  /** By task: who waits for its end to be told. */
  readonly #ends = new Map<string, End>();

  constructor(events: EventExchange) {
    this.#events = events;
  }

  /** Any envelope from a shim; exits are held back when they were told already, and kept when nobody listens. */
  forward(envelope: Envelope): void {
    const { containerId, id, pid } = subjectOf(envelope);
    const key = taskKey(envelope.namespace, containerId);
    if (envelope.topic !== EXIT_TOPIC) {
      this.#events.forward(envelope);
      if (envelope.topic === DELETE_TOPIC) this.#ends.get(key)?.tell();
      return;
    }
    const told = this.#told.get(key) ?? new Set();
    const name = `${id}/${pid}`;
    if (told.has(name)) return;
    // First validated by the exchange, then remembered.
    if (!this.#events.forward(envelope)) this.#events.keep(key, envelope);
    this.#told.set(key, told.add(name));
  }

  /** Resolves when the shim's /tasks/delete has been passed on, or when the shim is gone and none can come. */
  end(namespace: string, id: string): Promise<void> {
    const key = taskKey(namespace, id);
    const end = this.#ends.get(key) ?? newEnd();
    this.#ends.set(key, end);
    return end.told;
  }

  /** The exit of a task's first process, found out by ourselves. */
  tell({ namespace, id, pid, exitStatus, exitedAt }: Exit): void {
    this.forward(
      create(EnvelopeSchema, {
        timestamp: timestampNow(),
        namespace,
        topic: EXIT_TOPIC,
        event: {
          typeUrl: TaskExitSchema.typeName,
          value: toBinary(
            TaskExitSchema,
            create(TaskExitSchema, {
              containerId: id,
              id,
              pid,
              exitStatus,
              exitedAt: exitedAt ?? timestampNow(),
            }),
          ),
        },
      }),
    );
  }

  /** A task that goes with its dead shim: its exit, then its end. */
  tellDeath(exit: Exit): void {
    this.tell(exit);
    const { namespace, id, pid, exitStatus, exitedAt } = exit;
    this.#events.publish(namespace, DELETE_TOPIC, TaskDeleteSchema, {
      containerId: id,
      pid,
      exitStatus,
      exitedAt: exitedAt ?? timestampNow(),
    });
    this.#drop(taskKey(namespace, id));
  }

  /** The task was deleted by its client, who has seen the exit in the answer. */
  forget(namespace: string, id: string): void {
    this.#drop(taskKey(namespace, id));
    this.#events.forget(taskKey(namespace, id));
  }

  #drop(key: string): void {
    this.#told.delete(key);
    this.#ends.get(key)?.tell();
    this.#ends.delete(key);
  }
}
