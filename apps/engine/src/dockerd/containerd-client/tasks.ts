/** Containers, tasks and their exits. A container is a record; a task is that record with processes. */
import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { kindOf } from '../../protocol/errdefs.ts';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Events } from '../../protocol/gen/containerd/events_pb.ts';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { Status, type Process } from '../../protocol/gen/containerd/process_pb.ts';
import { TaskExitSchema, TaskOOMSchema } from '../../protocol/gen/containerd/task-events_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import type { Client } from '../../transport/service.ts';
import type { Runtime } from '../container/runtimes.ts';
import { NAMESPACE, type Storage } from './channel.ts';

const SPEC_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
/** Long enough for a machine under load, short enough that a hung shim is not waited for for ever. */
export const TASK_TIMEOUT_MS = 120_000;
const SIGKILL = 9;

export interface TaskStdio {
  /** Paths of FIFOs; empty for none. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTerminal: boolean;
}

export interface TaskExit {
  readonly kind: 'exit';
  readonly containerId: string;
  /** The exec, or the container's own id for its first process. */
  readonly execId: string;
  readonly pid: number;
  readonly exitCode: number;
  readonly exitedAt: string;
}
export type TaskEvent = TaskExit | { readonly kind: 'oom'; readonly containerId: string };

export interface TaskInfo {
  readonly containerId: string;
  readonly pid: number;
  readonly status: 'created' | 'running' | 'stopped' | 'paused' | 'unknown';
  readonly exitCode: number;
  readonly exitedAt: string;
}

const isoTime = (time: Timestamp | undefined): string =>
  (time ? timestampDate(time) : new Date()).toISOString();

const STATUS: Readonly<Record<number, TaskInfo['status']>> = {
  [Status.CREATED]: 'created',
  [Status.RUNNING]: 'running',
  [Status.STOPPED]: 'stopped',
  [Status.PAUSED]: 'paused',
  [Status.PAUSING]: 'paused',
};

const taskInfo = (process: Process): TaskInfo => ({
  containerId: process.containerId || process.id,
  pid: process.pid,
  status: STATUS[process.status] ?? 'unknown',
  exitCode: process.exitStatus,
  exitedAt: isoTime(process.exitedAt),
});

const decodeEvent = ({ namespace, topic, event }: Envelope): TaskEvent | null => {
  if (namespace !== NAMESPACE || !event) return null;
  if (topic === '/tasks/oom') {
    return { kind: 'oom', containerId: fromBinary(TaskOOMSchema, event.value).containerId };
  }
  if (topic !== '/tasks/exit') return null;
  const exit = fromBinary(TaskExitSchema, event.value);
  return {
    kind: 'exit',
    containerId: exit.containerId,
    execId: exit.id,
    pid: exit.pid,
    exitCode: exit.exitStatus,
    exitedAt: isoTime(exit.exitedAt),
  };
};

const ignoring = async (kind: string, work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (kindOf(error) !== kind) throw error;
  }
};

export class TaskClient {
  readonly #containers: Client<(typeof Containers)['method']>;
  readonly #tasks: Client<(typeof Tasks)['method']>;
  readonly #events: Client<(typeof Events)['method']>;
  readonly #storage: Storage;

  constructor(channel: GrpcChannel, storage: Storage) {
    this.#storage = storage;
    this.#containers = channel.client(Containers);
    this.#tasks = channel.client(Tasks);
    this.#events = channel.client(Events);
  }

  async createContainer(container: {
    readonly id: string;
    readonly image: string;
    readonly runtime: Runtime;
    readonly spec: RuntimeSpec;
    readonly labels: Readonly<Record<string, string>>;
  }): Promise<void> {
    await this.#containers.create(
      {
        container: {
          id: container.id,
          image: container.image,
          labels: { ...container.labels },
          runtime: {
            name: container.runtime.shim,
            ...(container.runtime.options ? { options: container.runtime.options } : {}),
          },
          spec: { typeUrl: SPEC_TYPE, value: Buffer.from(JSON.stringify(container.spec)) },
          snapshotter: this.#storage.snapshotter,
          snapshotKey: container.id,
        },
      },
      { source: __SOURCE__ },
    );
  }

  /** A container that is not there is deleted. */
  async deleteContainer(id: string): Promise<void> {
    await ignoring('not_found', this.#containers.delete({ id }, { source: __SOURCE__ }));
  }

  /** Afterwards the process exists and waits for `start`. Answers its pid. */
  async create(
    id: string,
    rootfs: readonly Mount[],
    { stdin, stdout, stderr, isTerminal }: TaskStdio,
  ): Promise<number> {
    const response = await this.#tasks.create(
      {
        containerId: id,
        rootfs: rootfs.map((mount) => ({ ...mount, options: [...mount.options] })),
        stdin,
        stdout,
        stderr,
        terminal: isTerminal,
      },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
    return response.pid;
  }

  async start(id: string): Promise<void> {
    await this.#tasks.start(
      { containerId: id },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
  }

  async kill(id: string, signal: number): Promise<void> {
    await this.#tasks.kill({ containerId: id, signal }, { source: __SOURCE__ });
  }

  async pause(id: string): Promise<void> {
    await this.#tasks.pause(
      { containerId: id },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
  }

  async resume(id: string): Promise<void> {
    await this.#tasks.resume(
      { containerId: id },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
  }

  /** Collects the exit code and lets the shim go. Null when there is no such task. */
  async delete(id: string): Promise<{ exitCode: number; exitedAt: string } | null> {
    try {
      const response = await this.#tasks.delete(
        { containerId: id },
        { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
      );
      return { exitCode: response.exitStatus, exitedAt: isoTime(response.exitedAt) };
    } catch (error) {
      if (kindOf(error) === 'not_found') return null;
      throw error;
    }
  }

  /**
   * Takes back a task that was made and never started: its process waits for a start that will not come, so it is
   * killed first, for only what has ended can be deleted. Nothing there: nothing to do.
   */
  async discard(id: string): Promise<void> {
    const task = await this.get(id);
    if (task && task.status !== 'stopped') {
      await ignoring('failed_precondition', ignoring('not_found', this.kill(id, SIGKILL)));
      await ignoring(
        'not_found',
        this.#tasks.wait({ containerId: id }, { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ }),
      );
    }
    if (task) await this.delete(id);
    await this.deleteContainer(id);
  }

  async get(id: string): Promise<TaskInfo | null> {
    try {
      const { process } = await this.#tasks.get({ containerId: id }, { timeoutMs: 10_000 });
      return process ? taskInfo(process) : null;
    } catch (error) {
      if (kindOf(error) === 'not_found') return null;
      throw error;
    }
  }

  async list(): Promise<TaskInfo[]> {
    const { tasks } = await this.#tasks.list({}, { timeoutMs: TASK_TIMEOUT_MS });
    return tasks.map(taskInfo);
  }

  async closeStdin(id: string): Promise<void> {
    await this.#tasks.closeIO({ containerId: id, stdin: true }, { source: __SOURCE__ });
  }

  async resize(id: string, height: number, width: number): Promise<void> {
    await this.#tasks.resizePty({ containerId: id, height, width }, { source: __SOURCE__ });
  }

  async *events(signal: AbortSignal): AsyncGenerator<TaskEvent> {
    const filters = [`namespace==${NAMESPACE},topic~=|^/tasks/|`];
    for await (const envelope of this.#events.subscribe({ filters }, { signal })) {
      const event = decodeEvent(envelope);
      if (event) yield event;
    }
  }
}

/** As in mount(8): what shall be mounted to become the container's root. */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}
