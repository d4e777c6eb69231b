/** Tasks for real: our containerd, a real shim, a real container of busybox, and death at every corner. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Events } from '../../protocol/gen/containerd/events_pb.ts';
import { Status } from '../../protocol/gen/containerd/process_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { TaskExitSchema, type TaskExit } from '../../protocol/gen/containerd/task-events_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { ProcessEvent, TraceEvent } from '../../protocol/trace/event.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import { removeCgroups } from '../testing/cgroups.ts';
import { buildDaemons, TestDaemon, until } from '../testing/daemon.ts';
import { busyboxLayer, createContainer, importLayer } from '../testing/image.ts';
import { processFacts } from './process-facts.ts';

const RUNTIME = 'io.containerd.engineroom.v2';
const NO_SPARE = { ENGINE_ROOM_NO_SPARE: '1' };
const CGROUP = `/ctd-test-${process.pid}`;

let daemon: TestDaemon;
let layer: Buffer;

beforeAll(async () => {
  buildDaemons();
  layer = await busyboxLayer();
}, 60_000);
beforeEach(() => {
  daemon = new TestDaemon();
});
afterEach(async () => {
  await daemon.dispose();
  await removeCgroups(CGROUP);
});

const start = async (
  environment: Record<string, string> = {},
  tracer?: Tracer,
): Promise<GrpcChannel> => {
  await daemon.start(environment);
  const channel = daemon.channel('moby', tracer);
  await importLayer(channel, layer, { name: 'base', parent: '' });
  return channel;
};

const createTask = async (
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

const run = async (
  channel: GrpcChannel,
  id: string,
  ...args: readonly string[]
): Promise<number> => {
  await createTask(channel, id, ...args);
  return (await channel.client(Tasks).start({ containerId: id })).pid;
};

/** Exits as a subscriber like dockerd sees them. */
const exitsOf = (channel: GrpcChannel): TaskExit[] => {
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

const bundles = (): string[] =>
  readdirSync(join(daemon.state, 'io.containerd.runtime.v2.task', 'moby'));
/** What has ended and was not collected yet (by whom is up to the machine) has no argv any more. */
const isAlive = (pid: number): boolean => (processFacts(pid)?.argv.length ?? 0) > 0;

describe('a task', () => {
  test('is created, started, ends with its exit code, and leaves nothing when it is deleted', async () => {
    const channel = await start(NO_SPARE);
    const exits = exitsOf(channel);
    const tasks = channel.client(Tasks);

    const pid = await createTask(channel, 'c1', 'sh', '-c', 'exit 7');
    expect((await tasks.get({ containerId: 'c1' })).process).toMatchObject({
      id: 'c1',
      pid,
      status: Status.CREATED,
    });
    expect(
      readFileSync(join(daemon.state, 'io.containerd.runtime.v2.task/moby/c1/config.json'), 'utf8'),
    ).toContain('exit 7');
    expect((await tasks.start({ containerId: 'c1' })).pid).toBe(pid);
    expect((await tasks.wait({ containerId: 'c1' })).exitStatus).toBe(7);
    await until(() => exits.length > 0, 'the exit event');
    expect(await tasks.delete({ containerId: 'c1' })).toMatchObject({ pid, exitStatus: 7 });

    expect(exits).toMatchObject([{ containerId: 'c1', id: 'c1', pid, exitStatus: 7 }]);
    await expect(tasks.get({ containerId: 'c1' })).rejects.toMatchObject({
      kind: 'not_found',
      message: 'task c1 not found',
    });
    await until(() => daemon.shims().length === 0, 'the shim to leave');
    expect([bundles(), daemon.mounts(), isAlive(pid)]).toEqual([[], [], false]);
    await channel.client(Containers).delete({ id: 'c1' });
    await channel.client(Snapshots).remove({ snapshotter: 'overlayfs', key: 'c1' });
    expect(
      readdirSync(join(daemon.root, 'io.containerd.snapshotter.v1.overlayfs/snapshots')),
    ).toEqual(['1']);
  });

  test('exists once, even when it is created twice at the same moment', async () => {
    const channel = await start(NO_SPARE);
    const mounts = await createContainer(channel, {
      id: 'c1',
      args: ['sleep', '100'],
      runtime: RUNTIME,
      cgroup: CGROUP,
      parent: 'base',
    });
    const create = () => channel.client(Tasks).create({ containerId: 'c1', rootfs: mounts });

    const results = await Promise.allSettled([create(), create(), create()]);

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(
      results
        .filter((result) => result.status === 'rejected')
        .map(({ reason }) => (reason as Error).message),
    ).toEqual(['task c1: already exists', 'task c1: already exists']);
  });

  test('that runs can be deleted neither itself nor its container', async () => {
    const channel = await start(NO_SPARE);
    const pid = await run(channel, 'c1', 'sleep', '100');

    await expect(channel.client(Tasks).delete({ containerId: 'c1' })).rejects.toMatchObject({
      kind: 'failed_precondition',
    });
    await expect(channel.client(Containers).delete({ id: 'c1' })).rejects.toMatchObject({
      kind: 'failed_precondition',
      message: 'cannot delete running task c1: failed precondition',
    });
    expect(isAlive(pid)).toBe(true);

    await channel.client(Tasks).kill({ containerId: 'c1', signal: 9 });
    expect((await channel.client(Tasks).wait({ containerId: 'c1' })).exitStatus).toBe(137);
  });

  test("whose program is missing fails with runc's words and leaves nothing", async () => {
    const channel = await start(NO_SPARE);

    await expect(
      createTask(channel, 'c1', '/no/such/program').then(() =>
        channel.client(Tasks).start({ containerId: 'c1' }),
      ),
    ).rejects.toThrow('no such file or directory');

    await channel
      .client(Tasks)
      .delete({ containerId: 'c1' })
      .catch(() => undefined);
    await until(() => daemon.shims().length === 0, 'the shim to leave');
    expect([bundles(), daemon.mounts()]).toEqual([[], []]);
  });
});

const shimOf = (id: string): number =>
  daemon
    .shims()
    .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`-id ${id}`)) ?? 0;

describe('a spare shim', () => {
  const spares = (): number[] =>
    daemon.shims().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('spare'));

  test('is ready after the start, is claimed, replaced when it is quiet, and leaves with containerd', async () => {
    const channel = await start();
    await until(() => daemon.log.includes('spare shim is ready'), 'the spare');
    const [spare] = spares();

    await run(channel, 'c1', 'sleep', '100');

    expect(daemon.log).toContain('spare shim claimed');
    expect(readFileSync(`/proc/${spare}/cmdline`, 'utf8')).toContain('-namespace moby -id c1');
    await until(() => daemon.log.split('spare shim is ready').length === 3, 'the next spare');
    await daemon.kill('SIGKILL');
    await until(() => daemon.shims().length === 1, 'spare and template to leave');
    expect(isAlive(spare ?? 0)).toBe(true);
  });

  test('is on its way for each of several containers that come at once', async () => {
    const channel = await start();

    const pids = await Promise.all(
      ['c1', 'c2', 'c3', 'c4'].map((id) => run(channel, id, 'sleep', '100')),
    );

    expect(new Set(pids).size).toBe(4);
    expect(daemon.log.split('spare shim claimed')).toHaveLength(5);
    await until(() => spares().length === 1, 'one spare for the next');
  });

  test('that died is not missed, nor is the template that it was a copy of', async () => {
    const channel = await start();
    await until(() => daemon.log.includes('spare shim is ready'), 'the spare');
    for (const pid of daemon.shims()) process.kill(pid, 'SIGKILL');

    const pid = await run(channel, 'c1', 'sleep', '100');

    expect(isAlive(pid)).toBe(true);
    const ready = daemon.log.split('spare shim is ready').length;
    await until(() => daemon.log.split('spare shim is ready').length > ready, 'a new spare');
  });
});

describe('the trace', () => {
  test("of a task continues its caller's, names the claimed shim, and brings the exit to dockerd", async () => {
    const tracer = new Tracer('dockerd', nullExporter);
    const channel = await start({}, tracer);
    await until(() => daemon.log.includes('spare shim is ready'), 'the spare');
    const exits = exitsOf(channel);
    const root = tracer.startSpan('test', { parent: null });
    const { traceId } = root.context;

    await root.run(() => run(channel, 'c1', 'sh', '-c', 'exit 3'));
    await until(() => exits.length > 0, 'the exit event');

    const told = (): TraceEvent[] => daemon.events.filter((event) => event.traceId === traceId);
    await until(
      () =>
        told().some(
          (event) =>
            event.type === 'message' &&
            event.summary === '/tasks/exit' &&
            event.from.actor === 'containerd',
        ),
      'the exit in the trace',
    );
    const spans = told().flatMap((event) =>
      event.type === 'spanStarted' && event.emitter.actor === 'containerd' ? [event.name] : [],
    );
    expect(spans).toEqual(
      expect.arrayContaining([
        'snapshot prepare',
        'containerd.services.tasks.v1.Tasks/Create',
        'bundle create',
        'containerd.task.v2.Task/Create',
        'containerd.services.tasks.v1.Tasks/Start',
      ]),
    );
    const claimed = told().find(
      (event): event is ProcessEvent => event.type === 'process' && event.change === 'claimed',
    );
    expect(claimed).toMatchObject({
      actor: 'shim',
      containerId: 'c1',
      process: { pid: shimOf('c1') },
    });
    const layers = told().find(
      (event) => event.type === 'spanEvent' && event.name === 'overlay layers',
    );
    expect(layers).toMatchObject({
      attributes: {
        'engineroom.overlay.upper': expect.stringMatching(/snapshots\/2\/fs$/) as string,
      },
    });
    for (const event of told())
      if (event.emitter.actor === 'containerd' && event.type !== 'spanEnded')
        expect(event.source, event.id).toMatch(/^apps\/engine\/src\/.*:\d+$/);
  });
});

describe('when containerd is killed', () => {
  test('containers run on, are found again, and an exit in between is told once', async () => {
    const channel = await start(NO_SPARE);
    const long = await run(channel, 'long', 'sleep', '100');
    const short = await run(channel, 'short', 'sh', '-c', 'sleep 0.3; exit 9');
    await daemon.kill('SIGKILL');
    await until(() => !isAlive(short), 'the short one to end');

    await daemon.start(NO_SPARE);
    const again = daemon.channel();
    const exits = exitsOf(again);

    expect((await again.client(Tasks).get({ containerId: 'long' })).process).toMatchObject({
      pid: long,
      status: Status.RUNNING,
    });
    expect((await again.client(Tasks).get({ containerId: 'short' })).process).toMatchObject({
      status: Status.STOPPED,
      exitStatus: 9,
    });
    await until(() => exits.length > 0, 'the exit');
    // Whatever the shim itself still has to say has been said when it has answered again.
    await again.client(Tasks).kill({ containerId: 'long', signal: 9 });
    await until(() => exits.some(({ id }) => id === 'long'), 'the other exit');
    expect(exits.map(({ id, exitStatus }) => [id, exitStatus])).toEqual([
      ['short', 9],
      ['long', 137],
    ]);
    expect(await again.client(Tasks).delete({ containerId: 'short' })).toMatchObject({
      exitStatus: 9,
    });
  });

  test('an exit that nobody listened to waits for the next subscriber', async () => {
    const channel = await start(NO_SPARE);
    await run(channel, 'c1', 'sh', '-c', 'exit 4');
    await channel.client(Tasks).wait({ containerId: 'c1' });

    const exits = exitsOf(daemon.channel());

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ id: 'c1', exitStatus: 4 }]);
  });
});

describe('when a shim is killed', () => {
  test('its container goes with it, is told as 137, and nothing is left', async () => {
    const channel = await start();
    await until(() => daemon.log.includes('spare shim is ready'), 'the spare');
    const exits = exitsOf(channel);
    const pid = await run(channel, 'c1', 'sleep', '100');

    process.kill(shimOf('c1'), 'SIGKILL');

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ containerId: 'c1', id: 'c1', pid, exitStatus: 137 }]);
    await until(() => !isAlive(pid), 'the container to end');
    await expect(channel.client(Tasks).get({ containerId: 'c1' })).rejects.toMatchObject({
      kind: 'not_found',
    });
    expect([bundles(), daemon.mounts()]).toEqual([[], []]);
  });

  test('while containerd is away, the same is found out at the next start', async () => {
    const channel = await start(NO_SPARE);
    const pid = await run(channel, 'c1', 'sleep', '100');
    const [shim] = daemon.shims();
    await daemon.kill('SIGKILL');
    process.kill(shim ?? 0, 'SIGKILL');

    await daemon.start(NO_SPARE);
    const exits = exitsOf(daemon.channel());

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ id: 'c1', pid, exitStatus: 137 }]);
    await until(() => !isAlive(pid), 'the container to end');
    expect([bundles(), daemon.mounts()]).toEqual([[], []]);
  });
});
