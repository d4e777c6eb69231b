/** A lab on the Node of whoever starts it, which is nowhere in the PATH of a system, as nvm's is not. */
import { copyFileSync, mkdirSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ourNode } from './our-node.ts';
import { aPlace, clearPlace, LabProcess } from './testing/lab-process.ts';

const place = aPlace();
afterEach(async () => {
  vi.unstubAllEnvs();
  await clearPlace(place);
}, 60_000);

test('daemons and shims run on the Node that came with them', async () => {
  const folder = join(place.folder, 'nvm');
  const node = join(folder, 'node');
  mkdirSync(folder);
  // npm says on which Node it runs itself.
  copyFileSync(process.env['npm_node_execpath'] ?? process.execPath, node);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  const lab = await LabProcess.start(place);

  const { traceId } = await lab.run('docker run -d --network none busybox sleep 1000');

  const shim = (await lab.events(traceId)).find(({ emitter }) => emitter.actor === 'shim');
  const programs = [lab.pid, lab.pidOf('dockerd'), lab.pidOf('containerd'), shim?.emitter.pid];
  const ours = realpathSync(ourNode());
  expect(programs.map((pid) => readlinkSync(`/proc/${pid}/exe`))).toEqual([node, ours, ours, ours]);
  await lab.signal('SIGTERM');
});
