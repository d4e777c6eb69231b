/** What a container took from the kernel is given back, also when the run failed. */
import { expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { footprint, openDescriptors } from './support/leaks.ts';
import { docker, engine, isReal } from './support/suite.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FAILURES: readonly (readonly string[])[] = [
  ['no-such-image-anywhere', 'true'],
  ['busybox', 'no-such-program'],
  ['busybox', '/etc/passwd'],
  ['-u', 'stranger', 'busybox', 'true'],
  ['-m', '1k', 'busybox', 'true'],
  ['--network', 'no-such-network', 'busybox', 'true'],
];

async function aBatch(): Promise<void> {
  await Promise.all(
    [1, 2, 3].map((code) => docker(['run', '--rm', 'busybox', 'sh', '-c', `exit ${code}`])),
  );
  await docker(['run', '--rm', '-i', '-m', '64m', 'busybox', 'cat'], { input: 'some input' });
  await docker(['run', '--rm', '-t', 'busybox', 'tty']);
  await docker(['run', '--rm', '-v', '/etc', '--tmpfs', '/data', 'busybox', 'true']);
  for (const args of FAILURES) await docker(['run', '--rm', ...args]);

  const id = await docker.ok(['run', '-d', 'busybox', 'sleep', '1000']);
  await docker.ok(['rm', '-f', id]);

  // A client that dies in the middle: its container goes on, and rm -f must be enough.
  const running = docker.start([
    'run',
    '--name',
    'orphaned',
    'busybox',
    'sh',
    '-c',
    'echo ready; exec sleep 1000',
  ]);
  await running.until(/ready/);
  running.process.kill('SIGKILL');
  await running.finished;
  await docker.ok(['rm', '-f', 'orphaned']);
}

test(
  'mounts, cgroups, network namespaces and processes are the same before and after',
  { timeout: 180_000 },
  async () => {
    await aBatch();
    const settled = () => JSON.stringify(footprint(engine), null, 1);
    let before = settled();
    // What follows a run (unmounting, refilling the spare) may still be under way: two equal looks in a row are rest,
    // unless a shim is there, which leaves when nobody waits for it.
    await eventually(
      'rest after the first batch',
      () => before === (before = settled()) && !before.includes('containerd-shim'),
    );
    const dockerd = Number(
      readFileSync(
        join(engine.kind === 'ours' ? join(engine.root, 'exec') : engine.root, 'dockerd.pid'),
        'utf8',
      ),
    );
    const descriptorsBefore = openDescriptors(dockerd);

    for (let batch = 0; batch < 3; batch += 1) await aBatch();

    await eventually(`the same as before: ${before}`, () => settled() === before, 30_000).catch(
      () => {},
    );
    expect(JSON.parse(settled())).toEqual(JSON.parse(before));
    expect(await docker.ok(['ps', '-aq'])).toBe('');
    // Debian's dockerd 20.10 itself keeps some descriptors of runs that failed.
    if (isReal) return;
    await eventually(
      `as many descriptors in dockerd as before (${descriptorsBefore})`,
      () => openDescriptors(dockerd) <= descriptorsBefore + 2,
    );
  },
);
