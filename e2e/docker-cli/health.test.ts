/** Health checks: from starting to healthy to unhealthy and back, in `ps`, `inspect` and `events`. */
import { expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { aName, docker } from './support/suite.ts';

interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[];
}

const healthOf = async (name: string): Promise<Health> =>
  JSON.parse(await docker.ok(['inspect', '--format', '{{json .State.Health}}', name])) as Health;

async function checked(command: string, ...flags: readonly string[]): Promise<string> {
  const name = aName();
  const every = ['--health-interval', '200ms', '--health-retries', '2', ...flags];
  const check = ['--health-cmd', command, ...every];
  await docker.ok(['run', '-d', '--name', name, ...check, 'busybox', 'sleep', '1000']);
  return name;
}

const becomes = (name: string, status: string) =>
  eventually(status, async () => (await healthOf(name)).Status === status);

test('a check that goes well makes it healthy, one that fails unhealthy, and back', async () => {
  const since = Math.floor(Date.now() / 1000) - 1;
  const name = await checked('echo seen; test ! -e /ill');
  await becomes(name, 'healthy');
  const status = await docker.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}']);
  const byHealth = await docker.ok(['ps', '-q', '--no-trunc', '--filter', 'health=healthy']);

  await docker.ok(['exec', name, 'touch', '/ill']);
  await becomes(name, 'unhealthy');
  const ill = await healthOf(name);
  await docker.ok(['exec', name, 'rm', '/ill']);
  await becomes(name, 'healthy');

  expect(status).toMatch(/^Up .* \(healthy\)$/);
  expect(byHealth).toBe((await docker.inspect(name)).Id);
  expect(ill.FailingStreak).toBeGreaterThanOrEqual(2);
  expect(ill.Log.at(-1)).toMatchObject({ ExitCode: 1, Output: 'seen\n' });
  const until = ['--since', String(since), '--until', String(Math.ceil(Date.now() / 1000))];
  const filters = ['--filter', `container=${name}`, '--filter', 'event=health_status'];
  const told = await docker.ok(['events', ...until, ...filters, '--format', '{{.Action}}']);
  expect(told.split('\n').slice(0, 3)).toEqual([
    'health_status: healthy',
    'health_status: unhealthy',
    'health_status: healthy',
  ]);
});

test('before its first probe it is starting', async () => {
  const name = await checked('true', '--health-interval', '1h');

  expect(await healthOf(name)).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  expect(await docker.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}'])).toContain(
    '(health: starting)',
  );
});

test('a probe that takes too long has failed, and is ended', async () => {
  const name = await checked('sleep 500', '--health-timeout', '200ms', '--health-retries', '1');

  await becomes(name, 'unhealthy');

  expect((await healthOf(name)).Log.at(-1)).toMatchObject({
    ExitCode: -1,
    Output: expect.stringContaining('Health check exceeded timeout'),
  });
});

test('a program that does not exist is a failure', async () => {
  const name = await checked('no-such-program', '--health-retries', '1');

  await becomes(name, 'unhealthy');

  expect((await healthOf(name)).Log.at(-1)?.ExitCode).not.toBe(0);
});

test('a stopped container is not healthy, and its probes end with it', async () => {
  const name = await checked('true');
  await becomes(name, 'healthy');

  await docker.ok(['kill', name]);

  expect((await healthOf(name)).Status).toBe('unhealthy');
});

test('without a check nothing is said of health', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '--no-healthcheck', '--name', name, 'busybox', 'sleep', '1000']);

  expect(await docker.ok(['inspect', '--format', '{{json .State}}', name])).not.toContain('Health');
});

test.for([
  [['--health-interval', '1us'], 'Interval'],
  [['--health-retries', '-1'], 'Retries'],
] as const)('%j is refused', async ([flags, word]) => {
  const check = ['--health-cmd', 'true', ...flags];
  const { code, stderr } = await docker(['create', ...check, 'busybox', 'true']);

  expect(code).not.toBe(0);
  expect(stderr.toLowerCase()).toContain(word.toLowerCase());
});
