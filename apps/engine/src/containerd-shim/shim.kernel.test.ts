/** A real shim with real containers, driven as containerd drives it; containerd itself comes and goes. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, createWriteStream, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MetricsSchema as MetricsV1 } from '../protocol/gen/containerd/cgroup-v1-metrics_pb.ts';
import { MetricsSchema as MetricsV2 } from '../protocol/gen/containerd/cgroup-v2-metrics_pb.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { Status } from '../protocol/gen/containerd/process_pb.ts';
import { TaskExitSchema, TaskOOMSchema } from '../protocol/gen/containerd/task-events_pb.ts';
import { DeleteResponseSchema } from '../protocol/gen/task/shim_pb.ts';
import { processId } from '../protocol/trace/event-id.ts';
import { collect, isAlive, until } from './testing/ask.ts';
import { buildShim, ShimBench, type RunningShim } from './testing/shim-bench.ts';

let bench: ShimBench;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(async () => {
  await bench.close();
});

type Stdio = readonly ('stdin' | 'stdout' | 'stderr')[];

const create = async (shim: RunningShim, stdio: Stdio = [], terminal = false): Promise<number> => {
  const fifos = bench.fifos(shim.bundle, ...stdio);
  const { pid } = await shim.task.create({
    id: shim.id,
    bundle: shim.bundle,
    rootfs: bench.rootfs(shim.bundle),
    terminal,
    ...fifos,
  });
  return pid;
};

/** Collects the exit code and sends the shim away, as containerd does. */
const finish = async ({ id, task, pid }: RunningShim): Promise<number> => {
  const { exitStatus } = await task.delete({ id });
  await task.shutdown({ id });
  await until(() => !isAlive(pid));
  return exitStatus;
};

const caught = async (work: Promise<unknown>): Promise<EngineError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('expected an error');
};

describe('a container', () => {
  it('is created, started, waited for and deleted, and leaves nothing', async () => {
    const shim = await bench.start({ args: ['sh', '-c', 'exit 7'] });
    const { id, task } = shim;
    const pid = await create(shim);
    expect(await task.state({ id })).toMatchObject({
      id,
      pid,
      status: Status.CREATED,
      bundle: shim.bundle,
    });
    expect(readFileSync(join(shim.bundle, 'init.pid'), 'utf8')).toBe(String(pid));
    expect(readFileSync(join(shim.bundle, 'address'), 'utf8')).toBe(shim.address);
    const waiting = task.wait({ id });
    await task.start({ id });
    expect((await waiting).exitStatus).toBe(7);
    expect(await task.state({ id })).toMatchObject({ status: Status.STOPPED, exitStatus: 7 });
    expect(await finish(shim)).toBe(7);
    expect(bench.topics().join(' ')).toBe('/tasks/create /tasks/start /tasks/exit /tasks/delete');
    expect(bench.event('/tasks/exit', TaskExitSchema)).toMatchObject({
      containerId: id,
      id,
      pid,
      exitStatus: 7,
    });
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });

  it('may be the first of a spare, which then looks like any shim', async () => {
    const shim = await bench.claim({ args: ['true'] });
    const title = readFileSync(`/proc/${shim.pid}/cmdline`, 'utf8').replaceAll('\0', '');
    expect(title).toMatch(
      new RegExp(`^containerd-shim-engineroom-v2 -namespace moby -id ${shim.id}`),
    );
    await create(shim);
    await shim.task.start({ id: shim.id });
    await shim.task.wait({ id: shim.id });
    expect(await finish(shim)).toBe(0);
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });

  it('is killed, with the code that a shell gives', async () => {
    const shim = await bench.start({
      args: ['sh', '-c', 'trap "exit 3" TERM; echo ready; while :; do sleep 0.01; done'],
    });
    await create(shim, ['stdout']);
    const output = openSync(join(shim.bundle, 'stdout'), constants.O_RDONLY | constants.O_NONBLOCK);
    await shim.task.start({ id: shim.id });
    // The trap must be set before the signal comes.
    await once(new Socket({ fd: output }), 'data');
    await shim.task.kill({ id: shim.id, signal: 15 });
    expect((await shim.task.wait({ id: shim.id })).exitStatus).toBe(3);
    expect((await caught(shim.task.kill({ id: shim.id, signal: 15 }))).kind).toBe('not_found');
    const other = await bench.start({ args: ['sleep', '1000'] });
    await create(other);
    await other.task.start({ id: other.id });
    await other.task.kill({ id: other.id, signal: 9, all: true });
    expect((await other.task.wait({ id: other.id })).exitStatus).toBe(137);
  });

  it('is killed before it was ever started', async () => {
    const shim = await bench.start({ args: ['true'] });
    await create(shim);
    await shim.task.kill({ id: shim.id, signal: 9 });
    expect((await shim.task.wait({ id: shim.id })).exitStatus).toBe(137);
    expect(await finish(shim)).toBe(137);
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });

  it('that cannot be made says why, and leaves nothing', async () => {
    const shim = await bench.start({ args: ['no-such-program'] });
    const error = await caught(create(shim, ['stdout']));
    expect(error.message).toMatch(
      /^OCI runtime create failed: runc create failed: unable to start container process: .*no-such-program.*executable file not found in \$PATH: unknown$/,
    );
    expect((await caught(shim.task.delete({ id: shim.id }))).kind).toBe('not_found');
    await shim.task.shutdown({ id: shim.id });
    await until(() => !isAlive(shim.pid));
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });

  it('is refused when the request makes no sense', async () => {
    const shim = await bench.start({ args: ['sleep', '1000'] });
    const { id, task, bundle } = shim;
    expect((await caught(task.start({ id }))).kind).toBe('not_found');
    expect((await caught(task.create({ id: 'other', bundle }))).kind).toBe('invalid_argument');
    expect((await caught(task.create({ id, bundle: 'relative' }))).kind).toBe('invalid_argument');
    const escape = [{ type: 'tmpfs', source: 'tmpfs', target: '../../../tmp', options: [] }];
    expect((await caught(task.create({ id, bundle, rootfs: escape }))).message).toContain(
      'outside of the rootfs',
    );
    expect(
      (
        await caught(
          task.create({
            id,
            bundle,
            rootfs: bench.rootfs(bundle),
            stdout: join(bundle, 'nothing'),
          }),
        )
      ).message,
    ).toContain('nothing');
    await create(shim);
    expect((await caught(create(shim))).kind).toBe('already_exists');
    expect((await caught(task.delete({ id }))).message).toContain(
      'cannot delete a created process',
    );
    expect((await caught(task.kill({ id, signal: 99 }))).kind).toBe('invalid_argument');
    // There is no terminal, and upstream's shim does not mind.
    await task.resizePty({ id, width: 1, height: 1 });
    await task.start({ id });
    expect((await caught(task.start({ id }))).message).toContain('cannot start a running process');
    // Not while there is something to look after.
    await task.shutdown({ id });
    expect((await task.connect({ id })).taskPid).toBeGreaterThan(0);
  });

  it('is paused, resumed and measured', async () => {
    const shim = await bench.start({ args: ['sleep', '1000'] });
    const { id, task } = shim;
    const pid = await create(shim);
    await task.start({ id });
    await task.pause({ id });
    expect((await task.state({ id })).status).toBe(Status.PAUSED);
    await task.resume({ id });
    expect((await task.state({ id })).status).toBe(Status.RUNNING);
    expect((await task.pids({ id })).processes.map((process) => process.pid)).toContain(pid);
    expect((await task.stats({ id })).stats?.typeUrl).toMatch(
      /^io\.containerd\.cgroups\.v[12]\.Metrics$/,
    );
    await until(() => bench.topics().includes('/tasks/resumed'));
    expect(bench.topics()).toContain('/tasks/paused');
  });

  it('gets other limits while it runs', async () => {
    const shim = await bench.start({ args: ['sleep', '1000'], memoryLimit: 16 * 1024 * 1024 });
    const { id, task } = shim;
    await create(shim);
    await task.start({ id });
    const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';
    const limit = 64 * 1024 * 1024;
    const update = (resources: unknown) =>
      task.update({ id, resources: { typeUrl, value: Buffer.from(JSON.stringify(resources)) } });
    // Upwards and downwards.
    await update({ memory: { limit, swap: limit } });
    await update({ memory: { limit: limit / 2, swap: limit / 2 }, pids: { limit: 33 } });
    const { stats } = await task.stats({ id });
    const isV1 = stats?.typeUrl.includes('.v1.') ?? false;
    const bytes = stats?.value ?? new Uint8Array();
    const [pids, memory] = isV1
      ? [
          fromBinary(MetricsV1, bytes).pids?.limit,
          fromBinary(MetricsV1, bytes).memory?.usage?.limit,
        ]
      : [fromBinary(MetricsV2, bytes).pids?.limit, fromBinary(MetricsV2, bytes).memory?.usageLimit];
    expect([pids, memory]).toEqual([33n, BigInt(limit / 2)]);
    expect((await caught(update({ memory: { limit: 'much' } }))).kind).toBe('invalid_argument');
  });

  it('that takes too much memory is told of before its exit', async () => {
    const shim = await bench.start({ args: ['tail', '/dev/zero'], memoryLimit: 16 * 1024 * 1024 });
    await create(shim);
    await shim.task.start({ id: shim.id });
    expect((await shim.task.wait({ id: shim.id })).exitStatus).toBe(137);
    await until(() => bench.topics().includes('/tasks/exit'));
    expect(bench.topics().slice(-2)).toEqual(['/tasks/oom', '/tasks/exit']);
    expect(bench.event('/tasks/oom', TaskOOMSchema)?.containerId).toBe(shim.id);
  });
});

describe('stdio', () => {
  it('goes through a container byte by byte, 20 MB', async () => {
    const shim = await bench.start({ args: ['cat'] });
    const { id, task, bundle } = shim;
    await create(shim, ['stdin', 'stdout', 'stderr']);
    const output = collect(join(bundle, 'stdout'));
    const errors = collect(join(bundle, 'stderr'));
    await task.start({ id });
    const sent = createHash('sha256');
    const client = createWriteStream('', {
      fd: openSync(join(bundle, 'stdin'), constants.O_WRONLY),
    });
    for (let count = 0; count < 20; count += 1) {
      const block = randomBytes(1024 * 1024);
      sent.update(block);
      if (!client.write(block)) await once(client, 'drain');
    }
    client.end();
    await once(client, 'close');
    await task.closeIO({ id, stdin: true });
    expect((await task.wait({ id })).exitStatus).toBe(0);
    expect(
      createHash('sha256')
        .update(await output)
        .digest('hex'),
    ).toBe(sent.digest('hex'));
    expect((await errors).length).toBe(0);
    expect(await finish(shim)).toBe(0);
  });

  it('is a pipe for the container, not a path of the host', async () => {
    const shim = await bench.start({
      args: ['sh', '-c', 'ls -l /proc/self/fd/1; echo twice > /dev/stdout'],
      process: { user: { uid: 1000, gid: 1000 } },
    });
    await create(shim, ['stdout']);
    const output = collect(join(shim.bundle, 'stdout'));
    await shim.task.start({ id: shim.id });
    expect((await output).toString()).toMatch(/-> pipe:\[\d+\]\ntwice\n$/);
  });

  it('is a terminal when asked, of the size that was asked', async () => {
    const shim = await bench.start({
      args: ['sh', '-c', 'read line; tty; stty size; echo "got $line"; exec cat'],
      process: { terminal: true },
    });
    const { id, task, bundle } = shim;
    await create(shim, ['stdin', 'stdout'], true);
    const output = collect(join(bundle, 'stdout'));
    await task.start({ id });
    await task.resizePty({ id, width: 90, height: 33 });
    const client = createWriteStream('', {
      fd: openSync(join(bundle, 'stdin'), constants.O_WRONLY),
    });
    client.write('hello\n');
    // ^D ends the input of a terminal.
    client.end('\u0004');
    await task.wait({ id });
    expect((await output).toString()).toBe('hello\r\n/dev/pts/0\r\n33 90\r\ngot hello\r\n');
    expect(await finish(shim)).toBe(0);
  });
});

describe('containerd may be away', () => {
  it('while the container exits: the code is kept, and told when it is back', async () => {
    const shim = await bench.start({ args: ['sh', '-c', 'echo bye; exit 9'] });
    const { id, task, bundle } = shim;
    await create(shim, ['stdout']);
    await until(() => bench.topics().includes('/tasks/create'));
    await bench.closeContainerd();
    await task.start({ id });
    await task.wait({ id });
    expect(bench.topics()).toEqual(['/tasks/create']);
    await bench.openContainerd();
    await until(() => bench.topics().includes('/tasks/exit'));
    expect(bench.topics()).toEqual(['/tasks/create', '/tasks/start', '/tasks/exit']);
    expect(bench.event('/tasks/exit', TaskExitSchema)?.exitStatus).toBe(9);
    // The client was away as well; its bytes waited.
    const stdout = openSync(join(bundle, 'stdout'), constants.O_RDONLY | constants.O_NONBLOCK);
    expect(readFileSync(stdout, 'utf8')).toBe('bye\n');
    expect(await finish(shim)).toBe(9);
  });

  it('for ever, and the shim stays', async () => {
    const shim = await bench.start({ args: ['sleep', '1000'] });
    await create(shim);
    await shim.task.start({ id: shim.id });
    // `start` has left long ago: nobody is its parent who could take it along.
    const parent = Number(
      /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${shim.pid}/status`, 'utf8'))?.[1],
    );
    expect(parent).not.toBe(process.pid);
    process.kill(shim.pid, 'SIGTERM');
    process.kill(shim.pid, 'SIGHUP');
    expect((await shim.task.connect({ id: shim.id })).shimPid).toBe(shim.pid);
  });
});

describe('a dead shim', () => {
  it('is cleaned up after by the delete action', async () => {
    const shim = await bench.start({ args: ['sleep', '1000'] });
    const pid = await create(shim);
    await shim.task.start({ id: shim.id });
    shim.channel.close();
    process.kill(shim.pid, 'SIGKILL');
    await until(() => !isAlive(shim.pid));
    expect(isAlive(pid)).toBe(true);
    const { stdout, status } = bench.command(shim.bundle, [
      '-id',
      shim.id,
      '-bundle',
      shim.bundle,
      'delete',
    ]);
    expect(status).toBe(0);
    expect(fromBinary(DeleteResponseSchema, stdout)).toMatchObject({ pid, exitStatus: 137 });
    await until(() => !isAlive(pid));
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });
});

describe('the trace', () => {
  it('is one, from the call to the exit, each event with a cause that is in it', async () => {
    const shim = await bench.claim({ args: ['sh', '-c', 'exit 7'] });
    const { id, task } = shim;
    let pid = 0;
    await bench.tracer.span('run', {}, async () => {
      pid = await create(shim);
      await task.start({ id });
    });
    await task.wait({ id });
    await until(() => bench.trace.some((event) => event.id === processId(pid, 'exit')));
    await until(() =>
      bench.trace.some(
        (event) =>
          event.type === 'message' && event.summary === 'Events/Forward /tasks/exit answered',
      ),
    );
    const traceId = bench.trace[0]?.traceId;
    const told = bench.trace.filter((event) => event.traceId === traceId);
    expect(bench.trace.length).toBe(told.length);
    const ids = new Set(told.map((event) => event.id));
    const dangling = told.filter((event) => event.cause !== null && !ids.has(event.cause));
    expect(dangling.map((event) => `${event.type} ${event.id} ← ${event.cause}`)).toEqual([]);
    expect(told.find((event) => event.id === processId(pid, 'exit'))).toMatchObject({
      cause: processId(pid, 'exec'),
      exit: { code: 7 },
      level: 'chapter',
    });
    expect(
      told.filter(
        (event) =>
          event.type === 'syscall' && event.name === 'mount' && event.caller.actor === 'shim',
      ),
    ).toHaveLength(1);
  });

  it("hears of the shim's own end, in the trace of who sent it away", async () => {
    const shim = await bench.claim({ args: ['true'] });
    const { id, task } = shim;
    await create(shim);
    await task.start({ id });
    await task.wait({ id });

    await bench.tracer.span('rm', {}, async () => {
      await task.delete({ id });
      await task.shutdown({ id });
    });
    await until(() => bench.trace.some((event) => event.id === processId(shim.pid, 'exit')));

    const rm = bench.trace.find((event) => event.type === 'spanStarted' && event.name === 'rm');
    expect(bench.trace.find((event) => event.id === processId(shim.pid, 'exit'))).toMatchObject({
      traceId: rm?.traceId,
      actor: 'shim',
      exit: { code: 0 },
      level: 'step',
    });
  });
});
