/** Where a shim is put, and how soon the kernel kills it. Needs root: cgroups. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { OptionsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import { ContainerCgroup } from './container-cgroup.ts';
import { isAlive, until } from './testing/ask.ts';
import { buildShim, ShimBench } from './testing/shim-bench.ts';

let bench: ShimBench;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(() => bench.close());

it('a shim is in the cgroup that is asked for, and rather killed than its parent', async () => {
  const cgroup = `/er-shim-${process.pid}`;
  // A new cpuset of version 1 has no processors, and takes nobody.
  const folders = ContainerCgroup.of(process.pid)
    .cgroups.filter(({ hierarchy }) => !hierarchy.controllers.includes('cpuset'))
    .map(({ hierarchy }) => join(hierarchy.mountPoint, cgroup));
  for (const folder of folders) mkdirSync(folder);
  const optionsFor = (shimCgroup: string) =>
    anyPack(OptionsSchema, create(OptionsSchema, { shimCgroup }));
  const { id, bundle, task, pid } = await bench.start({ args: ['true'] });
  const asked = { id, bundle, rootfs: bench.rootfs(bundle) };
  await expect(task.create({ ...asked, options: optionsFor('/er-nowhere') })).rejects.toThrow(
    'failed to load cgroup /er-nowhere',
  );

  await task.create({ ...asked, options: optionsFor(cgroup) });

  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  expect(lines.filter((line) => line.endsWith(`:${cgroup}`))).toHaveLength(folders.length);
  const scoreOf = (of: number | 'self') =>
    Number(readFileSync(`/proc/${of}/oom_score_adj`, 'utf8'));
  expect(scoreOf(pid)).toBe(Math.min(scoreOf('self') + 1, 1000));
  await task.kill({ id, signal: 9 });
  await task.wait({ id });
  await task.delete({ id });
  await task.shutdown({ id });
  await until(() => !isAlive(pid));
  for (const folder of folders) {
    // The kernel lets go of a dead process a moment after it has gone.
    await until(() => readFileSync(join(folder, 'cgroup.procs'), 'utf8') === '');
    rmdirSync(folder);
  }
});
