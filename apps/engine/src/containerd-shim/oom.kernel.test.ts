/** Out-of-memory kills are told when they happen; the container may live on. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { TaskOOMSchema } from '../protocol/gen/containerd/task-events_pb.ts';
import { readHostFacts } from '../libcontainer/host-facts.ts';
import { until } from './testing/ask.ts';
import { buildShim, ShimBench } from './testing/shim-bench.ts';
import { watchFile } from './oom-watch.ts';

let bench: ShimBench;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(() => bench.close());

it('of a process that is not the first one, while the container runs on', async () => {
  const script = 'tail /dev/zero; echo survived; exec sleep 1000';
  const shim = await bench.start({ args: ['sh', '-c', script], memoryLimit: 16 * 1024 * 1024 });
  const { id, bundle, task } = shim;
  await task.create({ id, bundle, rootfs: bench.rootfs(bundle) });
  await task.start({ id });

  await until(() => bench.topics().includes('/tasks/oom'));

  expect(bench.topics()).toEqual(['/tasks/create', '/tasks/start', '/tasks/oom']);
  expect(bench.event('/tasks/oom', TaskOOMSchema)?.containerId).toBe(id);
  await task.kill({ id, signal: 9 });
  await task.wait({ id });
  await until(() => bench.topics().includes('/tasks/exit'));
  expect(bench.topics().at(-1)).toBe('/tasks/exit');
});

it('by a change of a file in cgroup v2, which the kernel tells', async () => {
  // memory.events is of the same kind; where version 1 has the memory controller, only this one is there.
  const unified = readHostFacts().hierarchies.find(({ version }) => version === 2);
  const folder = join(unified?.mountPoint ?? '', `engine-room-watch-${process.pid}`);
  mkdirSync(folder);
  try {
    let changes = 0;
    const stop = watchFile(join(folder, 'cgroup.events'), () => (changes += 1));
    const child = spawn('sleep', ['1000']);
    writeFileSync(join(folder, 'cgroup.procs'), String(child.pid));
    await until(() => changes > 0);
    const before = changes;
    child.kill('SIGKILL');
    await until(() => changes > before);
    stop();
  } finally {
    rmdirSync(folder);
  }
});
