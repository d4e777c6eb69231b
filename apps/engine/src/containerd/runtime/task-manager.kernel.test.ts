/** Tasks for real: our containerd, a real shim, a real container of busybox, and what the trace tells of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Status } from '../../protocol/gen/containerd/process_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { ProcessEvent, TraceEvent } from '../../protocol/trace/event.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { until } from '../testing/daemon.ts';
import { createContainer } from '../testing/image.ts';
import {
  CGROUP,
  createTask,
  exitsOf,
  isAlive,
  NO_SPARE,
  run,
  RUNTIME,
  taskBench,
} from '../testing/tasks.ts';

const bench = taskBench();

describe('a task', () => {
  test('is created, started, ends with its exit code, and leaves nothing when it is deleted', async () => {
    const channel = await bench.start(NO_SPARE);
    const exits = exitsOf(channel);
    const tasks = channel.client(Tasks);

    const pid = await createTask(channel, 'c1', 'sh', '-c', 'exit 7');
    expect((await tasks.get({ containerId: 'c1' })).process).toMatchObject({
      id: 'c1',
      pid,
      status: Status.CREATED,
    });
    expect(
      readFileSync(
        join(bench.daemon.state, 'io.containerd.runtime.v2.task/moby/c1/config.json'),
        'utf8',
      ),
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
    await until(() => bench.daemon.shims().length === 0, 'the shim to leave');
    await until(() => bench.bundles().length === 0, 'the bundle to go');
    expect([bench.daemon.mounts(), isAlive(pid)]).toEqual([[], false]);
    await channel.client(Containers).delete({ id: 'c1' });
    await channel.client(Snapshots).remove({ snapshotter: 'overlayfs', key: 'c1' });
    const snapshots = join(bench.daemon.root, 'io.containerd.snapshotter.v1.overlayfs/snapshots');
    await until(() => readdirSync(snapshots).length === 1, 'the snapshot’s folder to go');
    expect(readdirSync(snapshots)).toEqual(['1']);
  });

  test('exists once, even when it is created twice at the same moment', async () => {
    const channel = await bench.start(NO_SPARE);
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
    const channel = await bench.start(NO_SPARE);
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
    const channel = await bench.start(NO_SPARE);

    await expect(
      createTask(channel, 'c1', '/no/such/program').then(() =>
        channel.client(Tasks).start({ containerId: 'c1' }),
      ),
    ).rejects.toThrow('no such file or directory');

    await channel
      .client(Tasks)
      .delete({ containerId: 'c1' })
      .catch(() => undefined);
    await until(() => bench.daemon.shims().length === 0, 'the shim to leave');
    expect([bench.bundles(), bench.daemon.mounts()]).toEqual([[], []]);
  });
});

describe('the trace', () => {
  test("of a task continues its caller's, names the claimed shim, and brings the exit to dockerd", async () => {
    const tracer = new Tracer('dockerd', nullExporter);
    const channel = await bench.start({}, tracer);
    await until(() => bench.daemon.log.includes('spare shim is ready'), 'the spare');
    const exits = exitsOf(channel);
    const root = tracer.startSpan('test', { parent: null });
    const { traceId } = root.context;

    await root.run(() => run(channel, 'c1', 'sh', '-c', 'exit 3'));
    await until(() => exits.length > 0, 'the exit event');

    const told = (): TraceEvent[] =>
      bench.daemon.events.filter((event) => event.traceId === traceId);
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
      process: { pid: bench.shimOf('c1') },
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
