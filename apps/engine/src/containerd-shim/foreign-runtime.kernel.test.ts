/** Our shim over somebody else's runtime: the same life of a container, made by real runc. */
import { spawnSync } from 'node:child_process';
import { create, toBinary } from '@bufbuild/protobuf';
import { constants, createWriteStream, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { native } from '../native/load.ts';
import { messageOf } from '../protocol/errdefs.ts';
import { Status } from '../protocol/gen/containerd/process_pb.ts';
import { OptionsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import { collect, isAlive, until } from './testing/ask.ts';
import { buildShim, ShimBench, type RunningShim } from './testing/shim-bench.ts';

/** crun does not work where both versions of cgroups are mounted, unless it sees one alone. */
const CRUN_ALONE =
  '#!/bin/sh\nexec unshare --mount sh -c \'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun "$@"\' crun "$@"\n';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

let bench: ShimBench;
beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(async () => {
  await bench.close();
});

const NOTHING = { mounts: 0, cgroups: [], sockets: 0, states: 0 };

/** `npm run test:peers` asks for more than this. */
const NAMES = (process.env['OCI_RUNTIMES'] ?? 'runc').split(',');

describe.each(NAMES.filter(has))('%s behind our shim', (name) => {
  const binary = (): string => {
    if (name !== 'crun') return name;
    const path = join(bench.folder, 'crun-alone');
    writeFileSync(path, CRUN_ALONE, { mode: 0o755 });
    return path;
  };
  const options = () => ({
    typeUrl: OptionsSchema.typeName,
    value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName: binary() })),
  });

  const begin = async (
    args: readonly string[],
    streams: readonly ('stdin' | 'stdout' | 'stderr')[] = [],
    terminal = false,
  ): Promise<RunningShim & { readonly init: number }> => {
    const shim = await bench.start({ args, ...(terminal ? { process: { terminal } } : {}) });
    const { id, bundle, task } = shim;
    const fifos = bench.fifos(bundle, ...streams);
    const rootfs = bench.rootfs(bundle);
    const { pid } = await task.create({
      id,
      bundle,
      rootfs,
      terminal,
      options: options(),
      ...fifos,
    });
    return { ...shim, init: pid };
  };

  const finish = async ({ id, task, pid }: RunningShim): Promise<number> => {
    const { exitStatus } = await task.delete({ id });
    await task.shutdown({ id });
    await until(() => !isAlive(pid));
    expect(bench.leftovers()).toEqual(NOTHING);
    return exitStatus;
  };

  it('creates, starts, is paused, killed and deleted', async () => {
    const shim = await begin(['sh', '-c', 'echo out; sleep 1000'], ['stdout']);
    const { id, task, bundle, init } = shim;
    expect(await task.state({ id })).toMatchObject({ status: Status.CREATED, pid: init });
    const output = collect(join(bundle, 'stdout'));
    await task.start({ id });
    const limits = { memory: { limit: 64 * 1024 * 1024 } };
    await task.update({
      id,
      resources: { typeUrl: '', value: Buffer.from(JSON.stringify(limits)) },
    });
    const { stats } = await task.stats({ id });
    // The limit as a protobuf has it, in the message of either version of cgroups.
    const written = Buffer.from([0x80, 0x80, 0x80, 0x20]);
    expect(Buffer.from(stats?.value ?? []).includes(written)).toBe(true);
    await task.pause({ id });
    expect((await task.state({ id })).status).toBe(Status.PAUSED);
    await task.resume({ id });
    expect((await task.pids({ id })).processes.map(({ pid }) => pid)).toContain(init);
    await task.kill({ id, signal: 9, all: true });
    expect((await task.wait({ id })).exitStatus).toBe(137);
    expect((await output).toString()).toMatch(/^(out\n)?$/);
    expect(await finish(shim)).toBe(137);
  });

  it('runs execs, with pipes and with a terminal that takes a size', async () => {
    const shim = await begin(['sleep', '1000']);
    const { id, task, bundle } = shim;
    await task.start({ id });
    const exec = async (execId: string, command: string, terminal: boolean) => {
      const spec = {
        args: ['sh', '-c', command],
        cwd: '/',
        env: ['PATH=/bin'],
        user: { uid: 0, gid: 0 },
      };
      const [stdin, stdout] = [join(bundle, `${execId}-in`), join(bundle, `${execId}-out`)];
      for (const path of [stdin, stdout]) native.mkfifo(path, 0o600);
      await task.exec({
        id,
        execId,
        terminal,
        stdin,
        stdout,
        spec: { typeUrl: 'Process', value: Buffer.from(JSON.stringify({ ...spec, terminal })) },
      });
      const output = collect(stdout);
      await task.start({ id, execId });
      if (terminal) await task.resizePty({ id, execId, width: 90, height: 33 });
      createWriteStream('', { fd: openSync(stdin, constants.O_WRONLY) }).end('go\n');
      const { exitStatus } = await task.wait({ id, execId });
      await task.delete({ id, execId });
      return [exitStatus, (await output).toString()];
    };
    expect(await exec('pipes', 'read x; echo "$x"; exit 5', false)).toEqual([5, 'go\n']);
    const [code, shown] = await exec('tty', 'read x; stty size; exit 6', true);
    expect([code, String(shown).split('\r\n').slice(-2)]).toEqual([6, ['33 90', '']]);
    await task.kill({ id, signal: 9 });
    await task.wait({ id });
    await finish(shim);
  });

  it('says in its own words what does not work', async () => {
    const failure = await begin(['no-such-program']).then(() => '', messageOf);
    expect(failure).toMatch(/^OCI runtime create failed: .*no-such-program/);
    expect(bench.leftovers()).toMatchObject({ mounts: 0, cgroups: [], states: 0 });
  });

  it('is seen from outside, and the trace says so', async () => {
    let shim: (RunningShim & { readonly init: number }) | undefined;
    await bench.tracer.span('docker run', {}, async () => {
      shim = await begin(['sleep', '1000']);
      await shim.task.start({ id: shim.id });
    });
    if (!shim) throw new Error('no shim');
    await shim.task.kill({ id: shim.id, signal: 9 });
    await shim.task.wait({ id: shim.id });
    await finish(shim);
    const { init } = shim;
    await until(() =>
      bench.trace.some((event) => event.type === 'process' && event.change === 'exec'),
    );
    const told = bench.trace.filter((event) => event.type === 'process' && event.actor !== 'shim');
    const seen = told.map((event) => event.type === 'process' && `${event.actor} ${event.change}`);
    expect(seen.slice(0, 6)).toEqual([
      'runc fork',
      'runc exit',
      'container fork',
      'runc fork',
      'runc exit',
      'container exec',
    ]);
    for (const event of told.slice(0, 6))
      expect(event).toMatchObject({
        attributes: { 'engineroom.topology.component': expect.stringContaining(name) as string },
      });
    expect(told[5]).toMatchObject({ process: { pid: init, argv: ['sleep', '1000'] } });
    const calls = bench.trace.flatMap((event) =>
      event.type === 'syscall' ? [event.caller.actor] : [],
    );
    expect(new Set(calls)).toEqual(new Set(['shim']));
  });

  it('is asked again when the shim is dead', async () => {
    const shim = await begin(['sleep', '1000']);
    await shim.task.start({ id: shim.id });
    process.kill(shim.pid, 'SIGKILL');
    await until(() => !isAlive(shim.pid));
    bench.command(shim.bundle, ['-id', shim.id, '-bundle', shim.bundle, 'delete']);
    expect(isAlive(shim.init)).toBe(false);
    expect(bench.leftovers()).toMatchObject(NOTHING);
  });
});
