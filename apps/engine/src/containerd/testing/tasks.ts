/** Tasks for real: our containerd, a real shim, containers of busybox on one layer. */
import { fromBinary } from '@bufbuild/protobuf';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { Events } from '../../protocol/gen/containerd/events_pb.ts';
import { TaskExitSchema, type TaskExit } from '../../protocol/gen/containerd/task-events_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import { processFacts } from '../runtime/process-facts.ts';
import { removeCgroups } from './cgroups.ts';
import { buildDaemons, TestDaemon } from './daemon.ts';
import { busyboxLayer, createContainer, importLayer } from './image.ts';

export const RUNTIME = 'io.containerd.engineroom.v2';
/** Every shim is bootstrapped, as in real containerd. */
export const NO_SPARE = { ENGINE_ROOM_NO_SPARE: '1' };
export const CGROUP = `/ctd-test-${process.pid}`;

/** What has ended and was not collected yet (by whom is up to the machine) has no argv any more. */
export const isAlive = (pid: number): boolean => (processFacts(pid)?.argv.length ?? 0) > 0;

export const createTask = async (
  channel: GrpcChannel,
  id: string,
  ...args: readonly string[]
): Promise<number> => {
  const mounts = await createContainer(channel, {
    id,
    args,
    runtime: RUNTIME,
    cgroup: CGROUP,
    parent: 'base',
  });
  const { pid } = await channel.client(Tasks).create({ containerId: id, rootfs: mounts });
  return pid;
};

export const run = async (
  channel: GrpcChannel,
  id: string,
  ...args: readonly string[]
): Promise<number> => {
  await createTask(channel, id, ...args);
  return (await channel.client(Tasks).start({ containerId: id })).pid;
};

/** Exits as a subscriber like dockerd sees them. */
export const exitsOf = (channel: GrpcChannel): TaskExit[] => {
  const seen: TaskExit[] = [];
  const events = channel
    .client(Events)
    .subscribe({ filters: ['namespace==moby,topic=="/tasks/exit"'] });
  void (async () => {
    for await (const { event } of events)
      seen.push(fromBinary(TaskExitSchema, event?.value ?? new Uint8Array()));
  })().catch(() => undefined); // Ends with the daemon.
  return seen;
};

/** A daemon of its own for each test of the file that calls it. */
export const taskBench = (): TaskBench => {
  const bench = new TaskBench();
  beforeAll(() => bench.build(), 60_000);
  beforeEach(() => bench.open());
  afterEach(() => bench.close());
  return bench;
};

class TaskBench {
  #layer: Buffer = Buffer.alloc(0);
  #daemon: TestDaemon | undefined;

  async build(): Promise<void> {
    buildDaemons();
    this.#layer = await busyboxLayer();
  }

  open(): void {
    this.#daemon = new TestDaemon();
  }

  async close(): Promise<void> {
    await this.daemon.dispose();
    await removeCgroups(CGROUP);
  }

  get daemon(): TestDaemon {
    if (!this.#daemon) throw new Error('open comes first');
    return this.#daemon;
  }

  /** The daemon, and the layer that each container stands on. */
  async start(environment: Record<string, string> = {}, tracer?: Tracer): Promise<GrpcChannel> {
    await this.daemon.start(environment);
    const channel = this.daemon.channel('moby', tracer);
    await importLayer(channel, this.#layer, { name: 'base', parent: '' });
    return channel;
  }

  bundles(): string[] {
    return readdirSync(join(this.daemon.state, 'io.containerd.runtime.v2.task', 'moby'));
  }

  shimOf(id: string): number {
    const isOf = (pid: number): boolean =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`-id ${id}`);
    return this.daemon.shims().find(isOf) ?? 0;
  }
}
