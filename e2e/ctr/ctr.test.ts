/** containerd's own client against our containerd: the gRPC seam, spoken by somebody else. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor } from '../support/docker.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';

let engine: OurEngine;
beforeAll(async () => {
  engine = await startOurEngine();
});
afterAll(() => engine.stop());

const run = promisify(execFile);
const ctr = async (...args: readonly string[]) =>
  (
    await run('ctr', [
      '--address',
      join(engine.execRoot, 'containerd.sock'),
      '--namespace',
      'moby',
      ...args,
    ])
  ).stdout;

test('ctr version speaks to our containerd', async () => {
  expect(await ctr('version')).toMatch(/Server:\s+Version:/);
});

test('ctr sees the namespace that dockerd made', async () => {
  expect(await ctr('namespaces', 'list', '-q')).toContain('moby');
});

test('ctr lists the container and the task of a docker run, with the pid that docker names', async () => {
  const docker = dockerFor(engine);
  const id = await docker.ok(['run', '-d', 'busybox', 'sleep', '1000']);
  const { Pid } = (await docker.inspect(id)).State;

  expect(await ctr('containers', 'list', '-q')).toContain(id);
  expect(await ctr('tasks', 'list')).toMatch(new RegExp(`${id}\\s+${Pid}\\s+RUNNING`));

  await docker.ok(['rm', '-f', id]);
  expect(await ctr('tasks', 'list', '-q')).not.toContain(id);
});

test('a signal sent by ctr ends the container, and docker hears of it', async () => {
  const docker = dockerFor(engine);
  const id = await docker.ok(['run', '-d', 'busybox', 'sleep', '1000']);

  await ctr('tasks', 'kill', '--signal', 'SIGKILL', id);

  expect(await docker.ok(['wait', id])).toBe('137');
  await docker.ok(['rm', id]);
});
