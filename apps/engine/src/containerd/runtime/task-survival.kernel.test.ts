/** Tasks for real, and death at every corner: of spares, of containerd, of shims. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Status } from '../../protocol/gen/containerd/process_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import { until } from '../testing/daemon.ts';
import { exitsOf, isAlive, NO_SPARE, run, taskBench } from '../testing/tasks.ts';

const bench = taskBench();

describe('a spare shim', () => {
  const spares = (): number[] =>
    bench.daemon
      .shims()
      .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('spare'));

  test('is ready after the start, is claimed, replaced when it is quiet, and leaves with containerd', async () => {
    const channel = await bench.start();
    await until(() => bench.daemon.log.includes('spare shim is ready'), 'the spare');
    const [spare] = spares();

    await run(channel, 'c1', 'sleep', '100');

    expect(bench.daemon.log).toContain('spare shim claimed');
    expect(readFileSync(`/proc/${spare}/cmdline`, 'utf8')).toContain('-namespace moby -id c1');
    await until(() => bench.daemon.log.split('spare shim is ready').length === 3, 'the next spare');
    await bench.daemon.kill('SIGKILL');
    await until(() => bench.daemon.shims().length === 1, 'spare and template to leave');
    expect(isAlive(spare ?? 0)).toBe(true);
  });

  test('is on its way for each of several containers that come at once', async () => {
    const channel = await bench.start();

    const pids = await Promise.all(
      ['c1', 'c2', 'c3', 'c4'].map((id) => run(channel, id, 'sleep', '100')),
    );

    expect(new Set(pids).size).toBe(4);
    expect(bench.daemon.log.split('spare shim claimed')).toHaveLength(5);
    await until(() => spares().length === 1, 'one spare for the next');
  });

  test('that died is not missed, nor is the template that it was a copy of', async () => {
    const channel = await bench.start();
    await until(() => bench.daemon.log.includes('spare shim is ready'), 'the spare');
    const ready = bench.daemon.log.split('spare shim is ready').length;
    for (const pid of bench.daemon.shims()) process.kill(pid, 'SIGKILL');

    const pid = await run(channel, 'c1', 'sleep', '100');

    expect(isAlive(pid)).toBe(true);
    await until(() => bench.daemon.log.split('spare shim is ready').length > ready, 'a new spare');
  });
});

describe('when containerd is killed', () => {
  test('containers run on, are found again, and an exit in between is told once', async () => {
    const channel = await bench.start(NO_SPARE);
    const long = await run(channel, 'long', 'sleep', '100');
    const short = await run(channel, 'short', 'sh', '-c', 'sleep 0.3; exit 9');
    await bench.daemon.kill('SIGKILL');
    await until(() => !isAlive(short), 'the short one to end');

    await bench.daemon.start(NO_SPARE);
    const again = bench.daemon.channel();
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

  test('a task that was deleted stays deleted, its shim leaves, and its name is free', async () => {
    const channel = await bench.start(NO_SPARE);
    const tasks = channel.client(Tasks);
    await run(channel, 'c1', 'sh', '-c', 'exit 3');
    await tasks.wait({ containerId: 'c1' });
    expect(await tasks.delete({ containerId: 'c1' })).toMatchObject({ exitStatus: 3 });
    await bench.daemon.kill('SIGKILL');

    await bench.daemon.start(NO_SPARE);

    const again = bench.daemon.channel();
    await expect(again.client(Tasks).get({ containerId: 'c1' })).rejects.toMatchObject({
      kind: 'not_found',
    });
    await until(() => bench.daemon.shims().length === 0, 'the shim to leave');
    const { mounts } = await again
      .client(Snapshots)
      .mounts({ snapshotter: 'overlayfs', key: 'c1' });
    await again.client(Tasks).create({ containerId: 'c1', rootfs: mounts });
    await again.client(Tasks).start({ containerId: 'c1' });
    expect(await again.client(Tasks).wait({ containerId: 'c1' })).toMatchObject({ exitStatus: 3 });
  });

  test('an exit that nobody listened to waits for the next subscriber', async () => {
    const channel = await bench.start(NO_SPARE);
    await run(channel, 'c1', 'sh', '-c', 'exit 4');
    await channel.client(Tasks).wait({ containerId: 'c1' });

    const exits = exitsOf(bench.daemon.channel());

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ id: 'c1', exitStatus: 4 }]);
  });
});

describe('when a shim is killed', () => {
  test('its container goes with it, is told as 137, and nothing is left', async () => {
    const channel = await bench.start();
    await until(() => bench.daemon.log.includes('spare shim is ready'), 'the spare');
    const exits = exitsOf(channel);
    const pid = await run(channel, 'c1', 'sleep', '100');

    process.kill(bench.shimOf('c1'), 'SIGKILL');

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ containerId: 'c1', id: 'c1', pid, exitStatus: 137 }]);
    await until(() => !isAlive(pid), 'the container to end');
    await expect(channel.client(Tasks).get({ containerId: 'c1' })).rejects.toMatchObject({
      kind: 'not_found',
    });
    expect([bench.bundles(), bench.daemon.mounts()]).toEqual([[], []]);
  });

  test('while containerd is away, the same is found out at the next start', async () => {
    const channel = await bench.start(NO_SPARE);
    const pid = await run(channel, 'c1', 'sleep', '100');
    const [shim] = bench.daemon.shims();
    await bench.daemon.kill('SIGKILL');
    process.kill(shim ?? 0, 'SIGKILL');

    await bench.daemon.start(NO_SPARE);
    const exits = exitsOf(bench.daemon.channel());

    await until(() => exits.length > 0, 'the exit');
    expect(exits).toMatchObject([{ id: 'c1', pid, exitStatus: 137 }]);
    await until(() => !isAlive(pid), 'the container to end');
    expect([bench.bundles(), bench.daemon.mounts()]).toEqual([[], []]);
  });
});
