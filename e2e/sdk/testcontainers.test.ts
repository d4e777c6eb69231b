/** Testcontainers for Node (Ryuk off), against a real dockerd and ours: the same story, told in the same words. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { dockerFor } from '../support/docker.ts';
import { bothEngines } from './support/engines.ts';
import { importRedis } from './support/redis-image.ts';

const run = promisify(execFile);
const NGINX = join(import.meta.dirname, '../../apps/engine/dist/images/nginx.tar');
const peers = bothEngines();

test(
  'Testcontainers does with ours what it does with the real one',
  { timeout: 240_000 },
  async () => {
    const told: string[] = [];
    for (const { engine, inside } of peers) {
      importRedis(engine);
      const docker = dockerFor(engine);
      await docker.ok(['load'], { input: readFileSync(NGINX) });
      const [file, ...args] = [...inside, process.execPath, 'story.mjs'];
      const { stdout } = await run(file, args, {
        cwd: join(import.meta.dirname, 'testcontainers'),
        env: {
          PATH: process.env['PATH'],
          HOME: engine.root,
          DOCKER_HOST: `unix://${engine.socket}`,
          TESTCONTAINERS_RYUK_DISABLED: 'true',
        },
      });
      told.push(stdout);
      await docker.ok(['rm', '-f', ...(await docker.ok(['ps', '-aq'])).split('\n')]);
    }
    const [real = '', ours = ''] = told;
    expect(ours).toBe(real);
    expect(ours).toContain('ping: "PONG"');
    expect(ours).toContain('page: [200,true]');
    expect(ours).toContain('the other by its name: true');
    expect(ours).toContain('mode: "600 5"');
  },
);
