/** A container's life, one command at a time: create, start, attach, ps, inspect, wait, stop, kill, rm. */
import { expect, test } from 'vitest';
import { aName, docker } from './support/suite.ts';

const TALKS_ON_TERM = 'trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
const IGNORES_TERM = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';

/** Started detached, and past its first line of output. */
async function started(name: string, script: string): Promise<string> {
  const id = await docker.ok(['run', '-d', '--name', name, 'busybox', 'sh', '-c', script]);
  const following = docker.start(['logs', '-f', name]);
  await following.until(/ready/);
  following.process.kill('SIGKILL');
  return id;
}

test('create makes a container that does not run; start runs it', async () => {
  const name = aName();
  const id = await docker.ok(['create', '--name', name, 'busybox', 'sh', '-c', 'echo hi; exit 3']);

  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await docker.inspect(name)).toMatchObject({
    Id: id,
    Name: `/${name}`,
    Path: 'sh',
    Args: ['-c', 'echo hi; exit 3'],
    State: { Status: 'created', Running: false, Pid: 0, ExitCode: 0 },
  });

  expect(await docker.ok(['start', name])).toBe(name);
  expect(await docker.ok(['wait', name])).toBe('3');
  expect(await docker.ok(['logs', name])).toBe('hi');
});

test('start -a prints the output and ends with the exit code', async () => {
  const name = aName();
  await docker.ok([
    'create',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'echo out; echo err >&2; exit 6',
  ]);

  expect(await docker(['start', '-a', name])).toMatchObject({
    code: 6,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('start -ai feeds the input', async () => {
  const name = aName();
  await docker.ok(['create', '-i', '--name', name, 'busybox', 'cat']);

  expect(await docker(['start', '-ai', name], { input: 'through\n' })).toMatchObject({
    code: 0,
    stdout: 'through\n',
  });
});

test('a container can be started again, and its log goes on', async () => {
  const name = aName();
  await docker.ok([
    'create',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'echo run >> /count; cat /count',
  ]);
  await docker(['start', '-a', name]);

  const { stdout } = await docker(['start', '-a', name]);

  expect(stdout).toBe('run\nrun\n');
  expect(await docker.ok(['logs', name])).toBe('run\nrun\nrun');
});

test('starting a running container changes nothing', async () => {
  const name = aName();
  await started(name, IGNORES_TERM);
  const before = (await docker.inspect(name)).State;

  expect(await docker.ok(['start', name])).toBe(name);

  expect((await docker.inspect(name)).State).toEqual(before);
});

test('starting a container that does not exist fails in the words of Docker', async () => {
  const { code, stderr } = await docker(['start', 'no-such-container']);

  expect(code).toBe(1);
  expect(stderr).toContain('No such container: no-such-container');
});

test('attach joins a running container, forwards input and takes its exit code', async () => {
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
    'read line; echo "got $line"; exit 8',
  ]);

  const attached = docker.start(['attach', name]);
  attached.process.stdin.write('word\n');

  expect(await attached.finished).toMatchObject({ code: 8, stdout: 'got word\n' });
});

test('attach to a stopped container is refused', async () => {
  const name = aName();
  await docker.ok(['create', '--name', name, 'busybox']);

  const { code, stderr } = await docker(['attach', name]);

  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot attach to a stopped container/i);
});

test('ps lists what runs, ps -a everything, with state and command', async () => {
  const [running, ended] = [aName(), aName()];
  await started(running, IGNORES_TERM);
  await docker(['run', '--name', ended, 'busybox', 'sh', '-c', 'exit 7']);
  const list = async (...flags: readonly string[]) =>
    docker.ok(['ps', ...flags, '--format', '{{.Names}}|{{.Image}}|{{.Status}}']);

  const [ps, all] = [await list(), await list('-a')];

  expect(ps).toMatch(new RegExp(`^${running}\\|busybox\\|Up .+$`, 'm'));
  expect(ps).not.toContain(ended);
  expect(all).toMatch(new RegExp(`^${ended}\\|busybox\\|Exited \\(7\\) .+ ago$`, 'm'));
  expect(await docker.ok(['ps'])).toMatch(
    /^CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES$/m,
  );
});

test('ps takes filters', async () => {
  const [running, ended] = [aName(), aName()];
  const id = await started(running, IGNORES_TERM);
  await docker(['run', '--name', ended, 'busybox', 'true']);

  expect(await docker.ok(['ps', '-aq', '--no-trunc', '--filter', `name=${running}`])).toBe(id);
  const exited = await docker.ok([
    'ps',
    '-a',
    '--filter',
    'status=exited',
    '--format',
    '{{.Names}}',
  ]);
  expect(exited.split('\n')).toContain(ended);
  expect(exited.split('\n')).not.toContain(running);
});

test('inspect of an unknown object prints an empty list and fails', async () => {
  const { code, stdout, stderr } = await docker(['inspect', 'no-such-thing']);

  expect(code).toBe(1);
  expect(stdout.trim()).toBe('[]');
  expect(stderr).toMatch(/no such object: no-such-thing/i);
});

test('a container is found by its name, its id and the beginning of its id', async () => {
  const name = aName();
  const id = await docker.ok(['create', '--name', name, 'busybox']);

  for (const word of [name, `/${name}`, id, id.slice(0, 12), id.slice(0, 20)])
    expect((await docker.inspect(word)).Id, word).toBe(id);
});

test('wait blocks until the end and prints the exit code', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '-i', '--name', name, 'busybox', 'sh', '-c', 'read line; exit 4']);
  const waiting = docker.start(['wait', name]);

  await docker(['attach', name], { input: 'go\n' });

  expect(await waiting.finished).toMatchObject({ code: 0, stdout: '4\n' });
});

test('wait on a container that has ended answers at once', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'sh', '-c', 'exit 5']);

  expect(await docker.ok(['wait', name])).toBe('5');
});

test('stop sends SIGTERM, and a program that listens ends in its own way', async () => {
  const name = aName();
  await started(name, TALKS_ON_TERM);
  const begin = performance.now();

  expect(await docker.ok(['stop', name])).toBe(name);

  expect(performance.now() - begin).toBeLessThan(9_000);
  expect((await docker.inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 9 });
  expect(await docker.ok(['logs', name])).toBe('ready\ntold');
});

test('stop -t 1 kills a program that does not listen, not before a second has passed', async () => {
  const name = aName();
  await started(name, IGNORES_TERM);
  const begin = performance.now();

  await docker.ok(['stop', '-t', '1', name]);

  expect(performance.now() - begin).toBeGreaterThan(1_000);
  expect(performance.now() - begin).toBeLessThan(9_000);
  expect((await docker.inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 137 });
});

test('stopping a stopped container is no error', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'true']);

  expect(await docker(['stop', name])).toMatchObject({ code: 0, stdout: `${name}\n` });
});

test('kill -s sends any signal', async () => {
  const name = aName();
  await started(name, 'trap "echo one; exit 11" USR1; echo ready; while :; do sleep 0.1; done');

  await docker.ok(['kill', '-s', 'USR1', name]);

  expect(await docker.ok(['wait', name])).toBe('11');
  expect(await docker.ok(['logs', name])).toBe('ready\none');
});

test('kill of a container that does not run is refused', async () => {
  const name = aName();
  const id = await docker.ok(['create', '--name', name, 'busybox']);

  const { code, stderr } = await docker(['kill', name]);

  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`cannot kill container: ${name}: container ${id} is not running`, 'i'),
  );
});

test('kill with a signal that does not exist is refused', async () => {
  const name = aName();
  await started(name, IGNORES_TERM);

  const { code, stderr } = await docker(['kill', '-s', 'NOPE', name]);

  expect(code).toBe(1);
  expect(stderr).toMatch(/invalid signal: NOPE/i);
});

test('rm refuses a running container, rm -f kills and removes it', async () => {
  const name = aName();
  await started(name, IGNORES_TERM);

  const refused = await docker(['rm', name]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/cannot remove (a running container|container .* is running)/i);

  expect(await docker.ok(['rm', '-f', name])).toBe(name);
  expect((await docker(['inspect', name])).code).toBe(1);
});

test('rm of an unknown container fails, rm -f of it does not', async () => {
  expect(await docker(['rm', 'no-such-container'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/No such container: no-such-container/),
  });
});

test('pause freezes a container, unpause lets it go on', async () => {
  const name = aName();
  await started(name, IGNORES_TERM);

  expect(await docker.ok(['pause', name])).toBe(name);
  expect((await docker.inspect(name)).State).toMatchObject({ Status: 'paused', Running: true });
  expect(await docker.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}'])).toMatch(
    /^Up .+ \(Paused\)$/,
  );
  const again = await docker(['pause', name]);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/container .* is already paused/i);

  expect(await docker.ok(['unpause', name])).toBe(name);
  expect((await docker.inspect(name)).State.Status).toBe('running');
  const twice = await docker(['unpause', name]);
  expect(twice.code).toBe(1);
  expect(twice.stderr).toMatch(/container .* is not paused/i);
});

test('a paused container can be stopped, and hears the signal', async () => {
  const name = aName();
  await started(name, TALKS_ON_TERM);
  await docker.ok(['pause', name]);

  await docker.ok(['stop', '-t', '60', name]);

  expect((await docker.inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 9 });
});

test('pause of a container that does not run is refused', async () => {
  const name = aName();
  const id = await docker.ok(['create', '--name', name, 'busybox']);

  const { code, stderr } = await docker(['pause', name]);

  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`container ${id} is not running`, 'i'));
});

test('several containers in one command: each is dealt with', async () => {
  const [first, second] = [aName(), aName()];
  await docker.ok(['create', '--name', first, 'busybox']);
  await docker.ok(['create', '--name', second, 'busybox']);

  const { code, stdout, stderr } = await docker(['rm', first, 'no-such-container', second]);

  expect(code).toBe(1);
  expect(stdout).toBe(`${first}\n${second}\n`);
  expect(stderr).toContain('no-such-container');
});
