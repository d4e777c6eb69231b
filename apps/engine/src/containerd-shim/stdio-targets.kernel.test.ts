/** Output that goes into files and programs instead of FIFOs, through the real shim. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { EngineError } from '../protocol/errdefs.ts';
import { OptionsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import { isAlive, until } from './testing/ask.ts';
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

interface Streams {
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly terminal?: boolean;
}

/** From create to shutdown; the exit code. */
const run = async (command: string, streams: (bundle: string) => Streams): Promise<RunningShim> => {
  const shim = await bench.start({ args: ['sh', '-c', command] });
  const { id, bundle, task } = shim;
  await task.create({ id, bundle, rootfs: bench.rootfs(bundle), ...streams(bundle) });
  await task.start({ id });
  await task.wait({ id });
  await task.delete({ id });
  await task.shutdown({ id });
  await until(() => !isAlive(shim.pid));
  return shim;
};

const BOTH = 'echo one; echo two >&2; echo three';

it('a file gets both streams in their order, behind what was in it', async () => {
  const { bundle } = await run(BOTH, (path) => {
    writeFileSync(join(path, 'out'), 'zero\n');
    return { stdout: `file://${path}/out`, stderr: `file://${path}/out` };
  });
  expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('zero\none\ntwo\nthree\n');
});

it('each stream may have a file of its own, in a folder that is not there yet', async () => {
  const { bundle } = await run(BOTH, (path) => ({
    stdout: `file://${path}/logs/out`,
    stderr: `file://${path}/logs/err`,
  }));
  expect(readFileSync(join(bundle, 'logs/out'), 'utf8')).toBe('one\nthree\n');
  expect(readFileSync(join(bundle, 'logs/err'), 'utf8')).toBe('two\n');
});

it('a megabyte arrives whole', async () => {
  const { bundle } = await run('head -c 3000000 /dev/zero', (path) => ({
    stdout: `file://${path}/out`,
  }));
  expect(readFileSync(join(bundle, 'out')).length).toBe(3_000_000);
});

it('what a terminal shows goes into a file as well', async () => {
  const shim = await bench.start({
    args: ['sh', '-c', 'tty; echo two >&2'],
    process: { terminal: true },
  });
  const { id, bundle, task } = shim;
  const stdout = `file://${bundle}/out`;
  await task.create({ id, bundle, rootfs: bench.rootfs(bundle), stdout, terminal: true });
  await task.start({ id });
  await task.wait({ id });
  await task.delete({ id });
  expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('/dev/pts/0\r\ntwo\r\n');
});

/** Says that it is ready, writes down what it gets and with which words it was called. */
const logger = (bundle: string): string => {
  const path = join(bundle, 'logger');
  writeFileSync(
    path,
    `#!/bin/sh\nd=$(dirname "$0")\necho "$CONTAINER_ID $CONTAINER_NAMESPACE $*" >$d/called\n` +
      `exec 5>&-\ncat <&3 >$d/out & cat <&4 >$d/err\nwait\necho done >>$d/called\n`,
  );
  chmodSync(path, 0o755);
  return `binary://${path}?level=info&fast`;
};

it('a program gets both streams, is told whose they are, and is waited for', async () => {
  const { bundle, id } = await run(BOTH, (path) => ({
    stdout: logger(path),
    stderr: logger(path),
  }));
  expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('one\nthree\n');
  expect(readFileSync(join(bundle, 'err'), 'utf8')).toBe('two\n');
  expect(readFileSync(join(bundle, 'called'), 'utf8')).toBe(`${id} moby level info fast\ndone\n`);
});

it('the program of a terminal sees the end of both', async () => {
  const shim = await bench.start({ args: ['sh', '-c', BOTH], process: { terminal: true } });
  const { id, bundle, task } = shim;
  const stdout = logger(bundle);
  await task.create({ id, bundle, rootfs: bench.rootfs(bundle), stdout, terminal: true });
  await task.start({ id });
  await task.wait({ id });
  await task.delete({ id });
  expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('one\r\ntwo\r\nthree\r\n');
  expect(readFileSync(join(bundle, 'called'), 'utf8')).toContain('done');
});

it.each([
  ['binary:///no/such/program', /failed to start logging binary \/no\/such\/program/],
  ['http://somewhere/x', /unknown STDIO scheme "http"/],
  ['file://relative', /an absolute path is needed/],
  ['/no/such/fifo', /no such file or directory/],
])('%s is refused, and nothing is left behind', async (stdout, words) => {
  const { id, bundle, task, pid } = await bench.start({ args: ['true'] });
  const creating = task.create({ id, bundle, rootfs: bench.rootfs(bundle), stdout });
  const error = await creating.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  expect(String(error)).toMatch(words);
  await task.shutdown({ id });
  await until(() => !isAlive(pid));
  expect(bench.leftovers()).toEqual({ mounts: 0, cgroups: [], sockets: 0, states: 0 });
});

it('the pipes belong to whom the options name', async () => {
  const shim = await bench.start({ args: ['stat', '-L', '-c', '%u:%g', '/proc/self/fd/1'] });
  const { id, bundle, task } = shim;
  const value = toBinary(OptionsSchema, create(OptionsSchema, { ioUid: 1000, ioGid: 2000 }));
  await task.create({
    id,
    bundle,
    rootfs: bench.rootfs(bundle),
    stdout: `file://${bundle}/out`,
    options: { typeUrl: OptionsSchema.typeName, value },
  });
  await task.start({ id });
  await task.wait({ id });
  await task.delete({ id });
  // Upstream's runc would give it back to root, who may open it all the same.
  expect(readFileSync(join(bundle, 'out'), 'utf8')).toBe('1000:2000\n');
});
