/** `--restart`: what starts a container again, what does not, and how it is shown meanwhile. `--init`. */
import { expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { aName, docker } from './support/suite.ts';

const stateOf = async (name: string) =>
  docker.ok([
    'inspect',
    '--format',
    '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}} {{.State.Restarting}}',
    name,
  ]);

async function created(policy: string, script: string): Promise<string> {
  const name = aName();
  await docker.ok([
    'run',
    '-d',
    '--restart',
    policy,
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    script,
  ]);
  return name;
}

test('on-failure:2 tries twice more, and then stays', async () => {
  const name = await created('on-failure:2', 'echo try; exit 3');

  await eventually('its last end', async () => (await stateOf(name)) === '2 exited 3 false');

  expect(await docker.ok(['logs', name])).toBe('try\ntry\ntry');
});

test('on-failure lets a success be', async () => {
  const name = await created('on-failure', 'exit 0');
  await docker.ok(['wait', name]);

  expect(await stateOf(name)).toBe('0 exited 0 false');
});

test('always starts it again, and again, until it is stopped', async () => {
  const name = await created('always', 'exit 0');

  await eventually('two restarts', async () => Number((await stateOf(name)).split(' ')[0]) >= 2);
  await docker.ok(['stop', '-t', '0', name]);
  const stopped = await stateOf(name);

  expect(stopped.split(' ').slice(1)).toEqual(['exited', expect.any(String), 'false']);
  // Longer than the pause that it was in.
  await new Promise((resolve) => {
    setTimeout(resolve, 2000);
  });
  expect(await stateOf(name)).toBe(stopped);
});

test('between two runs it is restarting; it can be removed by force, and not otherwise', async () => {
  const name = await created('always', 'exit 4');

  await eventually('a long pause', async () => Number((await stateOf(name)).split(' ')[0]) >= 4);
  await eventually('restarting', async () => (await stateOf(name)).includes('restarting 4 true'));
  const listed = await docker.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}']);
  const refused = await docker(['rm', name]);

  expect(listed).toMatch(/^Restarting \(4\) .* ago$/);
  expect(refused.code).toBe(1);
  await docker.ok(['rm', '-f', name]);
  expect((await docker(['inspect', name])).code).toBe(1);
});

test('a killed container stays, whatever its policy', async () => {
  const name = await created('always', 'exec sleep 1000');

  await docker.ok(['kill', name]);
  await docker.ok(['wait', name]);

  expect(await stateOf(name)).toBe('0 exited 137 false');
});

test('what kills itself from inside is started again', async () => {
  const name = await created('unless-stopped', 'echo run; exec sleep 1000');
  await eventually('it runs', async () => (await docker.ok(['logs', name])) === 'run');

  await docker(['exec', name, 'sh', '-c', 'kill -9 -1']);
  const { Pid } = (await docker.inspect(name)).State;
  if (Pid > 0) process.kill(Pid, 'SIGKILL');

  await eventually('it runs again', async () => (await stateOf(name)).startsWith('1 running'));
});

test.for([
  ['sometimes', 'invalid restart policy'],
  ['always:3', 'maximum ret'],
] as const)('--restart %s is refused', async ([policy, sentence]) => {
  const { code, stderr } = await docker(['run', '--restart', policy, 'busybox', 'true']);

  expect(code).toBe(125);
  expect(stderr).toContain(sentence);
});

test('--rm and a policy exclude each other', async () => {
  const { code, stderr } = await docker(['run', '--rm', '--restart', 'always', 'busybox', 'true']);

  expect(code).toBe(125);
  expect(stderr.toLowerCase()).toMatch(/conflicting options|autoremove/);
});

test('--init is the first process, passes signals on and reaps', async () => {
  const name = aName();
  const script = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done';
  const flags = ['--init', '-d', '--name', name];
  const started = await docker(['run', ...flags, 'busybox', 'sh', '-c', script]);
  if (started.code !== 0) {
    // A machine without the program: told by its name, as Docker does.
    expect(started.stderr).toContain('"docker-init": executable file not found');
    return;
  }

  const first = await docker.ok(['exec', name, 'cat', '/proc/1/cmdline']);
  await eventually('ready', async () => (await docker.ok(['logs', name])) === 'ready');
  await docker.ok(['stop', name]);

  expect(first.split('\0').slice(0, 3)).toEqual(['/sbin/docker-init', '--', 'sh']);
  expect((await docker.inspect(name)).State.ExitCode).toBe(7);
  expect(await docker.inspect(name)).toMatchObject({ Path: 'sh' });
});
