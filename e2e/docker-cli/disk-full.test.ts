/** A full disk: Docker's error, the daemon lives, nothing that was there is lost, and with room again all goes on. */
import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import { type BareDaemon, startBareDaemon } from './support/bare-daemon.ts';
import { importBusybox } from './support/busybox-image.ts';

let daemon: BareDaemon;
let docker: Docker;
let data: string;

beforeAll(async () => {
  daemon = await startBareDaemon(
    () => [],
    (root) => {
      data = join(root, 'data');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', data]);
    },
  );
  docker = dockerFor(daemon);
  importBusybox(daemon.root, daemon.socket);
}, 120_000);
afterAll(async () => {
  await daemon.halt();
  execFileSync('umount', ['-l', data]);
  await daemon.stop();
});

/** Takes all room there is. */
const fill = (): void => {
  const { bavail, bsize } = statfsSync(data);
  try {
    writeFileSync(join(data, 'ballast'), Buffer.alloc(bavail * bsize));
    // Files have more than bytes: until the kernel says that it is enough.
    for (let number = 0; ; number += 1) writeFileSync(join(data, `ballast-${number}`), 'x');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
};
const empty = (): void => {
  execFileSync('sh', ['-c', `rm -f ${data}/ballast*`]);
};

const run = (...args: readonly string[]) => docker(['run', '--network', 'none', ...args]);

test('a program that fills the disk is told by the kernel, and ends with its own code', async () => {
  const { code, stderr } = await run(
    ...['--rm', 'busybox', 'sh', '-c', 'dd if=/dev/zero of=/big bs=1M; exit 9'],
  );

  expect(stderr).toContain('No space left on device');
  expect(code).toBe(9);
  expect(await docker.ok(['ps', '-aq'])).toBe('');
});

test('what cannot be written down is refused with the reason, and what was there stays', async () => {
  await docker.ok(['create', '--name', 'kept', '--network', 'none', 'busybox', 'echo', 'kept']);
  await docker.ok(['volume', 'create', 'kept']);
  const started = (name: string, script: string) =>
    docker.start([
      ...['run', '-i', '--name', name, '--network', 'none', 'busybox', 'sh', '-c', script],
    ]);
  const quiet = started('quiet', 'read line; exit 5');
  const loud = started('loud', 'read line; echo "got $line"; exit 6');
  await Promise.all([untilRunning('quiet'), untilRunning('loud')]);
  fill();
  try {
    const created = await docker(['create', '--name', 'new', 'busybox', 'true']);
    const volume = await docker(['volume', 'create', 'new']);
    const network = await docker(['network', 'create', 'new']);

    for (const { code, stderr } of [created, volume, network]) {
      expect(code).toBe(1);
      expect(stderr).toContain('no space left on device');
    }
    quiet.process.stdin.end('word\n');
    expect((await quiet.finished).code).toBe(5);
    // Its last words reach whoever listens; a log without room cannot keep them.
    loud.process.stdin.end('word\n');
    expect(await loud.finished).toMatchObject({ code: 6, stdout: 'got word\n' });
    const names = await docker.ok(['ps', '-a', '--format', '{{.Names}}']);
    expect(names.split('\n').sort()).toEqual(['kept', 'loud', 'quiet']);
    expect(await docker.ok(['volume', 'ls', '-q'])).toBe('kept');
  } finally {
    empty();
  }

  expect(await docker.ok(['wait', 'quiet'])).toBe('5');
  expect(await docker.ok(['start', '-a', 'kept'])).toBe('kept');
  expect((await run('--rm', 'busybox', 'echo', 'room again')).stdout).toBe('room again\n');
  expect(await docker.ok(['volume', 'create', 'new'])).toBe('new');
});

async function untilRunning(name: string): Promise<void> {
  const format = ['inspect', '--format', '{{.State.Running}}', name];
  for (let tries = 0; tries < 100; tries += 1)
    if ((await docker(format)).stdout.trim() === 'true') return;
  throw new Error(`${name} does not run`);
}
