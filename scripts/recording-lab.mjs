/**
 * A lab of one's own for recording: in a mount namespace it uses the standard folders, so that the recorded paths are
 * those that everybody will see, and a real engine in the real folders is not touched. mount_namespaces(7)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PLACES = { run: '/run/engine-room', data: '/var/lib/engine-room' };

export async function startRecordingLab() {
  const folder = mkdtempSync(join(tmpdir(), 'engine-room-record-'));
  const script = Object.entries(PLACES)
    .map(([name, place]) => `mkdir -p ${place} "$0/${name}" && mount --bind "$0/${name}" ${place}`)
    .concat('exec "$@"')
    .join(' && ');
  const lab = spawn(
    'unshare',
    [
      '--mount',
      '--propagation=private',
      'sh',
      '-c',
      script,
      folder,
      process.execPath,
      fileURLToPath(new URL('../apps/engine/bin/lab', import.meta.url)),
      '--no-open',
      '--port=0',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    },
  );
  const stop = async () => {
    if (lab.exitCode === null) {
      lab.kill('SIGINT');
      await once(lab, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: lab.stdout })) {
    const match = /(http:\/\/\S+?)\/#token=(\S+)/.exec(line);
    if (match) {
      lab.stdout.resume();
      return {
        base: match[1],
        token: match[2],
        url: match[0],
        dockerSocket: join(folder, 'run/docker.sock'),
        // ctr itself mounts layers, so it has to see the lab's folders. nsenter(1)
        enter: ['nsenter', '--mount', '--target', String(lab.pid)],
        stop,
      };
    }
  }
  await stop();
  throw new Error('the lab did not start');
}
