/**
 * The same program in Go, TypeScript, Python and shell (`content/programs`), against a real dockerd and against ours:
 * each prints the ids, images and states that `docker ps` knows. And the example of Docker's Go SDK as it is taught.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor } from '../support/docker.ts';
import { bothEngines } from './support/engines.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const SOURCES = join(ROOT, 'content/programs/list-containers');
const BUILT = join(ROOT, 'apps/engine/dist/programs');
const peers = bothEngines();

const folder = mkdtempSync(join(tmpdir(), 'sdk-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, [
    join(ROOT, 'scripts/build-programs.mjs'),
    join(import.meta.dirname, 'seed-example.go'),
    join(folder, 'example'),
  ]);
}, 120_000);

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'the example of the Go SDK': [join(folder, 'example')],
  'main.go': [join(BUILT, 'list-containers')],
  'list.ts': [process.execPath, join(BUILT, 'list-containers.mjs')],
  'list.py': ['/usr/bin/python3', join(SOURCES, 'list.py')],
  'list.sh': ['/bin/sh', join(SOURCES, 'list.sh')],
};

const sorted = (text: string): string => text.trim().split('\n').sort().join('\n');

test(
  'five programs and docker ps say the same, of both engines',
  { timeout: 180_000 },
  async () => {
    expect(peers.map(({ engine }) => engine.kind)).toEqual(['real', 'ours']);
    for (const { engine } of peers) {
      const docker = dockerFor(engine);
      await docker.ok(['run', '-d', '--name', 'runs', 'busybox', 'sleep', '600']);
      await docker.ok(['run', '-d', '--name', 'paused', 'busybox:latest', 'sleep', '600']);
      await docker.ok(['pause', 'paused']);
      await docker.ok(['run', '--name', 'over', 'busybox', 'true']);
      const names = ['runs busybox running', 'paused busybox:latest paused'];
      const wanted: string[] = [];
      for (const line of names) {
        const [name = '', image, state] = line.split(' ');
        const { Id } = await docker.inspect(name);
        wanted.push(`ID: ${Id.slice(0, 10)} | Image: ${image} | State: ${state}`);
      }
      for (const [name, [file = '', ...args]] of Object.entries(PROGRAMS)) {
        const { stdout } = await run(file, args, {
          env: { PATH: '/usr/bin:/bin', HOME: '/', DOCKER_HOST: `unix://${engine.socket}` },
        });
        expect(sorted(stdout), `${name}, ${engine.kind}`).toBe(sorted(wanted.join('\n')));
      }
      await docker.ok(['rm', '-f', 'runs', 'paused', 'over']);
    }
  },
);

test('without an engine each says so and fails', { timeout: 60_000 }, async () => {
  const env = { PATH: '/usr/bin:/bin', HOME: '/', DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  for (const [name, [file = '', ...args]] of Object.entries(PROGRAMS))
    await expect(run(file, args, { env }), name).rejects.toMatchObject({
      code: expect.any(Number) as number,
      stderr: expect.stringMatching(/\S/) as string,
    });
});
