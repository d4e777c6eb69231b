/** `docker exec` as a shim sees it: processes that join a running container, through the real shim. */
import { constants, createWriteStream, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kindOf } from '../protocol/errdefs.ts';
import { Status } from '../protocol/gen/containerd/process_pb.ts';
import { ProcessDetailsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import { TaskExitSchema } from '../protocol/gen/containerd/task-events_pb.ts';
import type { Process } from '../protocol/oci/runtime-spec.ts';
import { processId } from '../protocol/trace/event-id.ts';
import { native } from '../native/load.ts';
import { collect, until } from './testing/ask.ts';
import { buildShim, ShimBench, type RunningShim } from './testing/shim-bench.ts';

let bench: ShimBench;
let shim: RunningShim;
let initPid: number;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
  shim = await bench.start({ args: ['sleep', '1000'] });
  const { id, bundle } = shim;
  ({ pid: initPid } = await shim.task.create({ id, bundle, rootfs: bench.rootfs(bundle) }));
  await shim.task.start({ id });
});
afterEach(async () => {
  await bench.close();
});

const add = async (
  execId: string,
  args: readonly string[],
  {
    stdio = [],
    terminal = false,
  }: { stdio?: readonly ('stdin' | 'stdout' | 'stderr')[]; terminal?: boolean } = {},
): Promise<{ id: string; execId: string }> => {
  const { id, bundle, task } = shim;
  const process = {
    args: [...args],
    cwd: '/',
    env: ['PATH=/bin'],
    user: { uid: 0, gid: 0 },
  } satisfies Process;
  const paths = Object.fromEntries(
    stdio.map((name) => [name, join(bundle, `${execId}-${name}`)] as const),
  );
  for (const path of Object.values(paths)) native.mkfifo(path, 0o600);
  const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Process';
  const value = Buffer.from(JSON.stringify(process));
  await task.exec({ id, execId, terminal, ...paths, spec: { typeUrl, value } });
  return { id, execId };
};

const kindOfFailure = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return kindOf(error);
  }
  return 'none';
};

const exitsOf = (execId: string) =>
  bench.published.filter(
    ({ topic, event }) =>
      topic === '/tasks/exit' && event && fromBinary(TaskExitSchema, event.value).id === execId,
  );

describe('an exec', () => {
  it('is announced, runs in the container, and its code is kept until it is collected', async () => {
    const { task, bundle } = shim;
    const exec = await add('e1', ['sh', '-c', 'hostname; echo no >&2; exit 7'], {
      stdio: ['stdout', 'stderr'],
    });
    expect(await task.state(exec)).toMatchObject({ status: Status.CREATED, pid: 0, execId: 'e1' });
    const output = collect(join(bundle, 'e1-stdout'));
    const errors = collect(join(bundle, 'e1-stderr'));
    const waiting = task.wait(exec);
    const { pid } = await task.start(exec);
    expect((await waiting).exitStatus).toBe(7);
    expect((await output).toString()).toBe('box\n');
    expect((await errors).toString()).toBe('no\n');
    expect(await task.state(exec)).toMatchObject({ status: Status.STOPPED, exitStatus: 7, pid });
    expect(await kindOfFailure(task.kill({ ...exec, signal: 15 }))).toBe('not_found');
    expect(await task.delete(exec)).toMatchObject({ pid, exitStatus: 7 });
    expect(await kindOfFailure(task.state(exec))).toBe('not_found');
    await until(() => exitsOf('e1').length === 1);
    expect(bench.topics().slice(2)).toEqual([
      '/tasks/exec-added',
      '/tasks/exec-started',
      '/tasks/exit',
    ]);
    expect((await task.state({ id: shim.id })).status).toBe(Status.RUNNING);
  });

  it('has a terminal when asked, and takes input and a size', async () => {
    const { task, bundle } = shim;
    const exec = await add('tty', ['sh', '-c', 'read line; stty size; echo "got $line"'], {
      stdio: ['stdin', 'stdout'],
      terminal: true,
    });
    const output = collect(join(bundle, 'tty-stdout'));
    await task.start(exec);
    await task.resizePty({ ...exec, width: 90, height: 33 });
    createWriteStream('', {
      fd: openSync(join(bundle, 'tty-stdin'), constants.O_WRONLY),
    }).end('hello\n');
    expect((await task.wait(exec)).exitStatus).toBe(0);
    expect((await output).toString()).toBe('hello\r\n33 90\r\ngot hello\r\n');
  });

  it('reads the end of its input after CloseIO', async () => {
    const { task, bundle } = shim;
    const exec = await add('cat', ['cat'], { stdio: ['stdin', 'stdout'] });
    const output = collect(join(bundle, 'cat-stdout'));
    await task.start(exec);
    createWriteStream('', {
      fd: openSync(join(bundle, 'cat-stdin'), constants.O_WRONLY),
    }).end('words');
    await task.closeIO({ ...exec, stdin: true });
    expect((await task.wait(exec)).exitStatus).toBe(0);
    expect((await output).toString()).toBe('words');
  });

  it('is killed alone, and named among the pids', async () => {
    const { task, id } = shim;
    const exec = await add('sleeper', ['sleep', '1000']);
    expect(await kindOfFailure(task.kill({ ...exec, signal: 9 }))).toBe('failed_precondition');
    const { pid } = await task.start(exec);
    const { processes } = await task.pids({ id });
    expect(processes.map((process) => process.pid)).toEqual(expect.arrayContaining([initPid, pid]));
    const info = processes.find((process) => process.pid === pid)?.info;
    expect(info && fromBinary(ProcessDetailsSchema, info.value).execId).toBe('sleeper');
    expect(await kindOfFailure(task.delete(exec))).toBe('failed_precondition');
    await task.kill({ ...exec, signal: 9 });
    expect((await task.wait(exec)).exitStatus).toBe(137);
    expect((await task.state({ id })).status).toBe(Status.RUNNING);
  });

  it('that cannot run says why, and may be deleted', async () => {
    const { task } = shim;
    const exec = await add('none', ['no-such-program']);
    await expect(task.start(exec)).rejects.toThrow(
      /OCI runtime exec failed: exec failed: .*"no-such-program": executable file not found in \$PATH/,
    );
    await task.delete(exec);
    expect(exitsOf('none')).toEqual([]);
    expect(await kindOfFailure(task.start(exec))).toBe('not_found');
  });

  it('is refused with the id of another, and in a container that has ended', async () => {
    const { task, id } = shim;
    const exec = await add('one', ['true']);
    expect(await kindOfFailure(add('one', ['true']))).toBe('already_exists');
    expect(await kindOfFailure(task.exec({ id, execId: 'no-spec' }))).toBe('invalid_argument');
    await task.kill({ id, signal: 9 });
    await task.wait({ id });
    expect(await kindOfFailure(task.start(exec))).toBe('failed_precondition');
    expect(await kindOfFailure(add('two', ['true']))).toBe('failed_precondition');
  });

  it('ends before its container does', async () => {
    const { task, id } = shim;
    await task.start(await add('first', ['sleep', '1000']));
    await task.start(await add('second', ['sleep', '1000']));
    await task.kill({ id, signal: 9 });
    await task.wait({ id });
    await until(() => exitsOf(id).length === 1);
    const exits = bench.published.flatMap(({ topic, event }) =>
      topic === '/tasks/exit' && event ? [fromBinary(TaskExitSchema, event.value).id] : [],
    );
    expect(exits.slice(0, 2).toSorted()).toEqual(['first', 'second']);
    expect(exits[2]).toBe(id);
    await task.delete({ id });
    await task.shutdown({ id });
    await until(() => bench.leftovers().sockets === 0);
    expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
  });

  it('leaves its exit in the trace of the request that ran it', async () => {
    let pid = 0;
    await bench.tracer.span('docker exec', {}, async () => {
      ({ pid } = await shim.task.start(await add('told', ['sh', '-c', 'exit 3'])));
    });
    await until(() => bench.trace.some(({ id }) => id === processId(pid, 'exit')));
    const exit = bench.trace.find(({ id }) => id === processId(pid, 'exit'));
    const span = bench.trace.find(
      (event) => event.type === 'spanStarted' && event.name === 'docker exec',
    );
    expect(exit).toMatchObject({
      traceId: span?.traceId,
      cause: processId(pid, 'exec'),
      exit: { code: 3 },
      level: 'step',
    });
  });
});

it(
  'a hundred execs leave no descriptor, no process and no cgroup',
  { timeout: 120_000 },
  async () => {
    const { task, pid } = shim;
    const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
    const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const once = async (name: string): Promise<void> => {
      const exec = await add(name, ['true']);
      const { exitStatus } = await task.start(exec).then(() => task.wait(exec));
      expect(exitStatus).toBe(0);
      await task.delete(exec);
    };
    await once('warm-up');
    await until(() => children() === String(initPid));
    const before = descriptors();
    for (let round = 0; round < 25; round += 1)
      await Promise.all([0, 1, 2, 3].map((place) => once(`r${round}-${place}`)));
    await until(() => children() === String(initPid));
    await until(() => descriptors() <= before);
  },
);
