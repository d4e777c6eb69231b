/** A lab on a Node that is nowhere in the PATH of a system, as nvm's is not. */
import { copyFileSync, mkdirSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { aPlace, clearPlace, LabProcess } from './testing/lab-process.ts';

const place = aPlace();
afterEach(async () => {
  vi.unstubAllEnvs();
  await clearPlace(place);
}, 60_000);

test('daemons and shims run on the Node that the lab runs on', async () => {
  const folder = join(place.folder, 'nvm');
  const node = join(folder, 'node');
  mkdirSync(folder);
  copyFileSync(process.execPath, node);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  const lab = await LabProcess.start(place);

  const { traceId } = await lab.run('docker run -d --network none busybox sleep 1000');

  const shim = (await lab.events(traceId)).find(({ emitter }) => emitter.actor === 'shim');
  const pids = [lab.pidOf('dockerd'), lab.pidOf('containerd'), shim?.emitter.pid];
  expect(pids.map((pid) => readlinkSync(`/proc/${pid}/exe`))).toEqual([node, node, node]);
  await lab.signal('SIGTERM');
});
