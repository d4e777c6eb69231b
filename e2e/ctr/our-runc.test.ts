/**
 * Debian's containerd and its shim with our runc in the place of Debian's (`ctr run --runc-binary`), and the same with
 * Debian's own: both must be answered alike. Upstream: containerd cmd/ctr/commands/run, runtime/v2/runc.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Containerd, startContainerd } from './support/containerds.ts';
import { type TestImage, writeTestImage } from './support/test-image.ts';

const OUR_RUNC = fileURLToPath(new URL('../../apps/engine/bin/runc', import.meta.url));

/** States of runc lie in one folder of the machine: what an interrupted run has left must not be met again. */
const RUN = Date.now().toString(36);

const folder = mkdtempSync(join(tmpdir(), 'ctr-our-runc-'));
let containerd: Containerd;
let image: TestImage;

beforeAll(async () => {
  image = await writeTestImage(join(folder, 'image.tar'), 'docker.io/library/peer:latest');
  containerd = await startContainerd('real');
  const { code, stderr } = await containerd.ctr(['images', 'import', image.archive]);
  expect([code, stderr]).toEqual([0, '']);
});
afterAll(async () => {
  await containerd.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['runc', OUR_RUNC])('with %s', (runc) => {
  const name = `${runc === OUR_RUNC ? 'ours' : 'debian'}-${RUN}`;
  const ctr = (...args: readonly string[]): Promise<Answer> => containerd.ctr(args);
  const run = (options: readonly string[], id: string, ...command: readonly string[]) =>
    containerd.ctr(['run', '--runc-binary', runc, ...options, image.name, id, ...command], 'go\n');
  /** Where this shim has runc keep its containers. */
  const states = (): readonly string[] => {
    const root = '/run/containerd/runc/default';
    return existsSync(root) ? readdirSync(root) : [];
  };

  test('a container runs to its end, and its exit code is that of ctr', async () => {
    const said = await run(
      ['--rm'],
      `${name}-run`,
      'sh',
      '-c',
      'read go; echo hello; cat /etc/motd; exit 7',
    );

    expect(said).toEqual({
      code: 7,
      stdout: 'hello\nwelcome\n',
      stderr: expect.any(String) as string,
    });
    expect(states()).not.toContain(`${name}-run`);
  });

  test('a program that is not there is told in the words of runc', async () => {
    const { code, stderr } = await run(['--rm'], `${name}-missing`, 'no-such-program');

    expect(code).toBe(1);
    expect(stderr).toContain(
      'OCI runtime create failed: runc create failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
    );
  });

  test('exec, ps, pause, resume, metrics, kill and delete', async () => {
    const id = `${name}-life`;
    expect(await run(['--detach'], id, 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' });
    expect(states()).toContain(id);

    const exec = ['tasks', 'exec', '--exec-id', 'e', id, 'sh', '-c', 'read go; echo in; exit 3'];
    const answer = await containerd.ctr(exec, 'go\n');
    expect(answer).toEqual({ code: 3, stdout: 'in\n', stderr: '' });
    expect((await ctr('tasks', 'ps', id)).stdout.trim().split('\n')).toHaveLength(2);
    expect(await ctr('tasks', 'pause', id)).toMatchObject({ code: 0 });
    expect((await ctr('tasks', 'ls')).stdout).toMatch(new RegExp(`${id}\\s+\\d+\\s+PAUSED`));
    expect(await ctr('tasks', 'resume', id)).toMatchObject({ code: 0 });
    expect((await ctr('tasks', 'metrics', id)).stdout).toContain('memory');
    expect(await ctr('tasks', 'kill', '--signal', 'SIGKILL', id)).toMatchObject({ code: 0 });

    expect(await ctr('tasks', 'delete', '--force', id)).toMatchObject({ code: 0 });
    expect(await ctr('containers', 'delete', id)).toMatchObject({ code: 0 });
    expect(states()).not.toContain(id);
  });
});
