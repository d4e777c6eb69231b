/**
 * The shim outlives the daemons: both are killed while a container prints at full speed, and nothing is lost.
 * (Ours only: the real dockerd loses what it had read and not yet written when it is killed.)
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import { eventually, untilAnswers } from '../support/engine.ts';
import { startTimeOf } from '../support/kernel.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';

let engine: OurEngine;
let docker: Docker;

beforeAll(async () => {
  engine = await startOurEngine();
  docker = dockerFor(engine);
});
afterAll(async () => {
  const left = await docker.ok(['ps', '-aq']);
  if (left !== '') await docker(['rm', '-f', ...left.split('\n')]);
  await engine.stop();
});

const LINES = 300_000;
/** Begins and ends when it is told to, so that it can be looked at while it surely lives. */
const PRINTS = `trap go=1 USR1; trap end=1 USR2; echo ready; while [ -z "$go" ]; do sleep 0.05; done; i=0; while [ $i -lt ${LINES} ]; do echo $i; i=$((i+1)); done; while [ -z "$end" ]; do sleep 0.05; done; exit 5`;
const ALL_LINES = 'ready\n' + Array.from({ length: LINES }, (_, index) => `${index}\n`).join('');

/** SIGKILL (or another signal), and wait until the lab has started another one in its place. */
async function crash(
  daemons: readonly ('dockerd' | 'containerd')[],
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<void> {
  const before = daemons.map((daemon) => [daemon, engine.pidOf(daemon)] as const);
  for (const [, pid] of before) process.kill(pid, signal);
  for (const [daemon, pid] of before)
    await eventually(`${daemon} is restarted`, () => pidIsNew(daemon, pid), 30_000);
  await untilAnswers(engine.socket);
}

function pidIsNew(daemon: 'dockerd' | 'containerd', old: number): boolean {
  try {
    const pid = engine.pidOf(daemon);
    return pid > 0 && pid !== old;
  } catch {
    // The pidfile is being replaced.
    return false;
  }
}

test.for([[['dockerd', 'containerd']], [['dockerd']], [['containerd']]] as const)(
  'a container that prints at full speed survives the death of %j, and no byte is lost',
  { timeout: 180_000 },
  async ([daemons]) => {
    const name = `survivor-${daemons.join('-')}`;
    await docker.ok(['run', '-d', '--name', name, 'busybox', 'sh', '-c', PRINTS]);
    const { Pid } = (await docker.inspect(name)).State;
    const startTime = startTimeOf(Pid);
    const following = docker.start(['logs', '-f', name]);
    await following.until(/^ready$/m);
    await docker.ok(['kill', '--signal', 'USR1', name]);
    await following.until(/^2000$/m);

    await crash(daemons);
    following.process.kill('SIGKILL');

    const { State } = await docker.inspect(name);
    expect(State.Running).toBe(true);
    expect(State.Pid).toBe(Pid);
    expect(startTimeOf(Pid)).toBe(startTime);
    expect(await docker.ok(['ps', '--format', '{{.Names}}'])).toContain(name);
    await docker.ok(['kill', '--signal', 'USR2', name]);
    expect(await docker.ok(['wait', name])).toBe('5');
    const { stdout } = await docker(['logs', name]);
    expect(stdout.length).toBe(ALL_LINES.length);
    expect(stdout === ALL_LINES, 'each line once and in order').toBe(true);
    await docker.ok(['rm', name]);
  },
);

test(
  'a container that waits keeps its pid, is listed, takes commands and gives its exit code',
  { timeout: 120_000 },
  async () => {
    await docker.ok([
      'run',
      '-d',
      '-i',
      '--name',
      'waits',
      'busybox',
      'sh',
      '-c',
      'read line; echo "got $line"; exit 6',
    ]);
    const { Pid, StartedAt } = (await docker.inspect('waits')).State;
    const startTime = startTimeOf(Pid);

    await crash(['dockerd', 'containerd']);

    expect((await docker.inspect('waits')).State).toMatchObject({ Running: true, Pid, StartedAt });
    expect(startTimeOf(Pid)).toBe(startTime);
    expect(await docker.ok(['ps', '--format', '{{.Names}}'])).toContain('waits');
    const attached = docker.start(['attach', 'waits']);
    attached.process.stdin.write('word\n');
    expect(await attached.finished).toMatchObject({ code: 6, stdout: 'got word\n' });
    await docker.ok(['rm', 'waits']);
  },
);

test(
  'a container that ends while the daemons are dead is reported with its exit code',
  { timeout: 120_000 },
  async () => {
    await docker.ok([
      'run',
      '-d',
      '--name',
      'ends',
      'busybox',
      'sh',
      '-c',
      'trap "echo last words; exit 7" TERM; echo ready; while :; do sleep 0.1; done',
    ]);
    const following = docker.start(['logs', '-f', 'ends']);
    await following.until(/ready/);
    following.process.kill('SIGKILL');
    const { Pid } = (await docker.inspect('ends')).State;

    const crashed = crash(['dockerd', 'containerd']);
    process.kill(Pid, 'SIGTERM');
    await crashed;

    expect(await docker.ok(['wait', 'ends'])).toBe('7');
    expect(await docker.ok(['logs', 'ends'])).toBe('ready\nlast words');
    await docker.ok(['rm', 'ends']);
  },
);

test('the next run after a crash works', async () => {
  await crash(['dockerd', 'containerd']);

  expect(await docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo again; exit 7'])).toMatchObject({
    code: 7,
    stdout: 'again\n',
  });
});

test('the engine keeps its id when dockerd is restarted', { timeout: 60_000 }, async () => {
  const id = await docker.ok(['info', '--format', '{{.ID}}']);
  expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

  await crash(['dockerd']);

  expect(await docker.ok(['info', '--format', '{{.ID}}'])).toBe(id);
});

test.for(['SIGKILL', 'SIGTERM'] as const)(
  'after %s, the next dockerd starts what the policies want running',
  { timeout: 120_000 },
  async (signal) => {
    const policies = { stubborn: 'always', obedient: 'unless-stopped', living: 'unless-stopped' };
    for (const [name, policy] of Object.entries(policies)) {
      await docker.ok([
        'run',
        '-d',
        '--restart',
        policy,
        '--name',
        name,
        'busybox',
        'sleep',
        '1000',
      ]);
    }
    await docker.ok(['kill', 'stubborn', 'obedient']);
    await docker.ok(['wait', 'stubborn', 'obedient']);
    const before = (await docker.inspect('living')).State;

    await crash(['dockerd'], signal);

    const states = await Promise.all(
      Object.keys(policies).map(async (name) => (await docker.inspect(name)).State),
    );
    expect(states.map(({ Status }) => Status)).toEqual(['running', 'exited', 'running']);
    // A crash leaves a container alone; a stop in good order stops it, and the policy starts it again.
    if (signal === 'SIGKILL') expect(states[2]?.Pid).toBe(before.Pid);
    else expect(states[2]?.Pid).not.toBe(before.Pid);
    await docker.ok(['rm', '-f', ...Object.keys(policies)]);
  },
);

test('addresses, names and published ports are there again after dockerd was killed', async () => {
  await docker.ok(['network', 'create', 'kept']);
  const page = 'echo -n kept > /tmp/index.html; exec httpd -f -h /tmp';
  await docker.ok(
    `run -d --name server --network kept -p 127.0.0.1:18490:80 busybox sh -c`
      .split(' ')
      .concat(page),
  );
  await docker.ok('run -d --name asker --network kept busybox sleep 1000'.split(' '));
  const address = () =>
    docker.ok(['inspect', '-f', '{{.NetworkSettings.Networks.kept.IPAddress}}', 'server']);
  const before = await address();

  await crash(['dockerd']);

  expect(await (await fetch('http://127.0.0.1:18490/')).text()).toBe('kept');
  expect(await docker.ok(['exec', 'asker', 'wget', '-qO-', 'http://server/'])).toBe('kept');
  expect(await address()).toBe(before);
  const other = ['run', '--rm', '--network', 'kept', 'busybox', 'hostname', '-i'];
  expect(await docker.ok(other)).not.toBe(before);
  await docker.ok(['rm', '-f', 'server', 'asker']);
  await expect(fetch('http://127.0.0.1:18490/')).rejects.toThrow('fetch failed');
  await docker.ok(['network', 'rm', 'kept']);
});
