/** `docker logs`: everything that was printed, now or as it comes. */
import { expect, test } from 'vitest';
import { aName, docker } from './support/suite.ts';

test('logs gives both streams back, apart', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2']);

  expect(await docker(['logs', name])).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('logs of a detached container are complete', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, 'busybox', 'seq', '1', '20000']);
  await docker.ok(['wait', name]);

  const { stdout } = await docker(['logs', name]);

  expect(stdout).toBe(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
});

test('logs -f follows until the container ends', async () => {
  const name = aName();
  await docker.ok([
    'run',
    '-d',
    '-i',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'echo before; read line; echo "after $line"',
  ]);
  const following = docker.start(['logs', '-f', name]);
  await following.until(/before\n/);

  await docker(['attach', name], { input: 'go\n' });

  expect(await following.finished).toMatchObject({ code: 0, stdout: 'before\nafter go\n' });
});

test('--tail gives the last lines', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'seq', '1', '10']);

  expect(await docker.ok(['logs', '--tail', '2', name])).toBe('9\n10');
});

test('--timestamps puts the time before each line', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'echo', 'dated']);

  const line = await docker.ok(['logs', '--timestamps', name]);

  expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z dated$/);
  expect(Math.abs(Date.parse(line.split(' ')[0] ?? '') - Date.now())).toBeLessThan(60_000);
});

test('a last line without a newline, and bytes that are no text, come back as they were', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'printf', 'caf\\303\\251 no newline']);

  expect((await docker(['logs', name])).stdout).toBe('café no newline');
});

test('a very long line comes back in one piece', async () => {
  const name = aName();
  await docker([
    'run',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'head -c 100000 /dev/zero | tr "\\000" x; echo',
  ]);

  expect((await docker(['logs', name])).stdout).toBe(`${'x'.repeat(100_000)}\n`);
});

test('logs of a terminal are one raw stream', async () => {
  const name = aName();
  await docker(['run', '-t', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2']);

  expect(await docker(['logs', name])).toMatchObject({ stdout: 'out\r\nerr\r\n', stderr: '' });
});

test('logs of an unknown container fails', async () => {
  const { code, stderr } = await docker(['logs', 'no-such-container']);

  expect(code).toBe(1);
  expect(stderr).toContain('No such container: no-such-container');
});
