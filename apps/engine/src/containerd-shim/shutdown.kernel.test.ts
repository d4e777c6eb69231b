/** How a shim leaves: whoever has sent it away may start the same container at once, whatever the shim has still to do. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Status } from '../protocol/gen/containerd/process_pb.ts';
import { native } from '../native/load.ts';
import { isAlive, until } from './testing/ask.ts';
import { buildShim, ShimBench, type RunningShim } from './testing/shim-bench.ts';

let bench: ShimBench;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(() => bench.close());

const create = ({ id, bundle, task }: RunningShim) =>
  task.create({ id, bundle, rootfs: bench.rootfs(bundle) });
const NOTHING = { mounts: 0, cgroups: [], sockets: 0, states: 0 };

it('has let go of its address when it hangs up, and does not take that of its successor away', async () => {
  const old = await bench.start({ args: ['true'] });
  const { id, bundle, task, channel } = old;
  await create(old);
  await task.kill({ id, signal: 9 });
  await task.wait({ id });
  // Its last events cannot be told now, so it stays for a while.
  await bench.closeContainerd();
  await task.delete({ id });
  await task.shutdown({ id });
  await channel.disconnected();
  expect(isAlive(old.pid)).toBe(true);

  const next = await bench.startIn(id, bundle);

  expect(next.pid).not.toBe(old.pid);
  expect(next.address).toBe(old.address);
  await bench.openContainerd();
  await until(() => !isAlive(old.pid));
  const late = await bench.startIn(id, bundle).catch((error: unknown) => String(error));
  expect(late).toContain('bind: address already in use');
  expect((await create(next)).pid).toBeGreaterThan(0);
});

it('answers in the middle of a create when it is known what came of it', async () => {
  const hold = join(bench.folder, 'hold');
  native.mkfifo(hold, 0o600);
  const shim = await bench.start({ args: ['true'], createRuntimeHook: `echo in; cat ${hold}` });
  const { id, task } = shim;
  const creating = create(shim);
  const order: string[] = [];
  const state = task.state({ id }).finally(() => order.push('state'));
  const shutdown = task.shutdown({ id }).finally(() => order.push('shutdown'));
  // Answered behind both, had they been answered.
  await task.connect({ id }).then(() => order.push('connect'));
  native.close(native.open(hold, 1));
  const { pid } = await creating;

  expect(await state).toMatchObject({ pid, status: Status.CREATED });
  await shutdown;
  expect(order).toEqual(['connect', 'state', 'shutdown']);
  expect(isAlive(pid)).toBe(true);
});

it('leaves, and takes the container along, when its bundle was taken away during the create', async () => {
  const shim = await bench.start({
    args: ['true'],
    createRuntimeHook: `umount rootfs; rm -rf ${join(bench.folder, 'b')}`,
  });

  await expect(create(shim)).rejects.toThrow('OCI runtime create failed');

  await until(() => !isAlive(shim.pid));
  rmSync(join(bench.folder, 'b'), { recursive: true, force: true });
  expect(bench.leftovers()).toEqual(NOTHING);
});
