/** What a shim has of its own in memory before it is needed. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isAlive, readJson, until } from './testing/ask.ts';
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

/** What no other process shares, and no file has. proc_pid_smaps(5) */
const ownKib = (pid: number): number =>
  Number(/^Private_Dirty:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);

const begin = async (args: string[]): Promise<RunningShim> => {
  const shim = await bench.claim({ args });
  const { id, bundle, task } = shim;
  await task.create({ id, bundle, rootfs: bench.rootfs(bundle) });
  await task.start({ id });
  return shim;
};

const wholeLife = async (): Promise<void> => {
  const { id, task, pid } = await begin(['true']);
  await task.wait({ id });
  await task.delete({ id });
  await task.shutdown({ id });
  await until(() => !isAlive(pid));
};

const ownOfNextSpare = async (): Promise<number> => {
  const { socket, hello } = await bench.spare();
  const own = ownKib(hello.pid);
  socket.destroy();
  await until(() => !isAlive(hello.pid));
  return own;
};

test('a spare is born with the pages that an earlier shim has changed, until the template has moved its own', async () => {
  const { line } = await bench.template();
  const withoutExample = await ownOfNextSpare();

  await wholeLife();
  const withExample = await ownOfNextSpare();
  expect(withExample).toBeGreaterThan(withoutExample + 2048);
  await wholeLife();

  line.write(`${JSON.stringify({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } })}\n`);
  await readJson(line);
  expect(await ownOfNextSpare()).toBeLessThan(withExample - 2048);

  await wholeLife();
  expect(await ownOfNextSpare()).toBeGreaterThan(withoutExample + 2048);
});

test('of many spares all but the next example are born so, also when no example has come to its end', async () => {
  await bench.template();
  await wholeLife();
  const owns: number[] = [];
  for (let born = 0; born < 70; born++) owns.push(await ownOfNextSpare());
  // None of these was claimed, so none has told anything.
  const full = Math.max(...owns);
  expect(owns.filter((own) => own < full - 2048).length).toBe(2);
});

/** How much is mapped of a process's executable code in files. proc_pid_smaps(5) */
const codeKib = (pid: number): number =>
  readFileSync(`/proc/${pid}/smaps`, 'utf8')
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((mapping) => /^\S+ r-xp .*\//.test(mapping))
    .reduce((sum, mapping) => sum + Number(/^Rss:\s+(\d+)/m.exec(mapping)?.[1]), 0);

test('a spare is born with as much of the program mapped as the template has, and that is what a life uses', async () => {
  const { hello: template } = await bench.template();

  const { socket, hello } = await bench.spare();
  const atBirth = codeKib(hello.pid);
  expect(atBirth).toBeGreaterThan(0.9 * codeKib(template.pid));
  socket.destroy();
  await until(() => !isAlive(hello.pid));

  const { id, task, pid } = await begin(['sleep', '60']);
  expect(atBirth).toBeGreaterThan(0.8 * codeKib(pid));
  await task.kill({ id, signal: 9 });
  await task.wait({ id });
  await task.delete({ id });
  await task.shutdown({ id });
  await until(() => !isAlive(pid));
});

/** From here on are what the kernel and the dynamic linker have placed; V8 draws its addresses from below. */
const DRAWN_END = 2 ** 46;

/** Memory of its own, by where it lies. proc_pid_maps(5) */
const heapKib = (pid: number): { strewn: number; together: number } => {
  const sizes = { strewn: 0, together: 0 };
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from = '', to = ''] = /^(\w+)-(\w+) rw-p \S+ \S+ 0\s*$/.exec(line) ?? [];
    const begin = parseInt(from, 16);
    if (from !== '')
      sizes[begin < DRAWN_END ? 'strewn' : 'together'] += (parseInt(to, 16) - begin) / 1024;
  }
  return sizes;
};

test('the heap of a spare lies in one place, but for what Node has begun with', async () => {
  await bench.template();

  const { socket, hello } = await bench.spare();
  const { strewn, together } = heapKib(hello.pid);

  expect(together).toBeGreaterThan(2 * strewn);
  socket.destroy();
  await until(() => !isAlive(hello.pid));
});
