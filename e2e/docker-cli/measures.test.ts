/** `docker top`, `stats`, `update`, `restart`, the prunes and `system df`; what there is not. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { cgroupLimit } from '../support/kernel.ts';
import { ask } from './support/ask.ts';
import { aName, docker, ofOursAlone } from './support/suite.ts';

async function sleeper(...flags: readonly string[]): Promise<string> {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
  return name;
}

describe('top', () => {
  test('shows the container’s processes and no others, with the host’s pids', async () => {
    const name = await sleeper();
    await docker.ok(['exec', '-d', name, 'sleep', '500']);
    const { Pid } = (await docker.inspect(name)).State;

    await eventually('both have begun', async () => {
      const commands = await docker.ok(['top', name, '-o', 'pid,comm']);
      return !commands.includes('runc');
    });
    const [head = '', ...rows] = (await docker.ok(['top', name])).split('\n');

    expect(head.split(/\s+/)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    expect(rows.map((row) => row.split(/\s{2,}/).at(-1) ?? '').sort()).toEqual([
      'sleep 1000',
      'sleep 500',
    ]);
    expect(rows.some((row) => row.split(/\s+/)[1] === String(Pid))).toBe(true);
  });

  test('takes the words of ps', async () => {
    const name = await sleeper();

    const commands = async () => {
      const rows = (await docker.ok(['top', name, '-o', 'pid,comm'])).split('\n');
      return rows.map((row) => row.split(/\s+/)[1]).join();
    };
    const bsd = await docker.ok(['top', name, 'aux']);

    // It is runc for as long as it has not executed the program.
    await eventually('sleep', async () => (await commands()) === 'COMMAND,sleep');
    expect(bsd.split('\n')).toHaveLength(2);
  });

  test('what cannot be shown is told', async () => {
    const name = await sleeper();
    const none = aName();
    await docker.ok(['create', '--name', none, 'busybox', 'true']);

    expect((await docker(['top', name, '-o', 'comm'])).stderr).toContain("Couldn't find PID field");
    expect((await docker(['top', name, '--nosuch'])).stderr).toContain('ps:');
    expect((await docker(['top', none])).stderr).toMatch(/ontainer [0-9a-f]+ is not running/);
  });
});

describe('stats', () => {
  test('--no-stream prints one line of a running container', async () => {
    const name = await sleeper('-m', '64m');

    const row = await docker.ok(['stats', '--no-stream', '--format', '{{json .}}', name]);

    const stats = JSON.parse(row) as Record<string, string>;
    expect(stats).toMatchObject({ Name: name, PIDs: '1' });
    expect(stats['MemUsage']).toMatch(/^[1-9][\d.]*[KM]iB \/ 64MiB$/);
  });

  test('a container that computes is seen to do so', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--name', name, 'busybox', 'sh', '-c', 'while :; do :; done']);

    const percent = await docker.ok(['stats', '--no-stream', '--format', '{{.CPUPerc}}', name]);

    expect(parseFloat(percent)).toBeGreaterThan(5);
  });

  test('a stream gives one reading a second, each with the one before', async () => {
    const name = await sleeper();
    const running = docker.start(['stats', '--format', 'line {{.Name}}', name]);

    await running.until(new RegExp(`(line ${name}[^]*){3}`));
    running.process.kill('SIGKILL');
  });

  test('one-shot has no reading before, a stopped container none at all', async () => {
    const name = await sleeper();
    const query = 'stream=0&one-shot=1';

    const alive = await ask('GET', `/containers/${name}/stats?${query}`);
    await docker.ok(['kill', name]);
    const dead = await ask('GET', `/containers/${name}/stats?${query}`);

    expect(alive.json).toMatchObject({
      name: `/${name}`,
      pids_stats: { current: 1 },
      preread: '0001-01-01T00:00:00Z',
      cpu_stats: { cpu_usage: { total_usage: expect.any(Number) } },
    });
    expect(dead.json).toMatchObject({ read: '0001-01-01T00:00:00Z', pids_stats: {} });
  });
});

describe('update', () => {
  test('changes the limits of a running container, in the kernel and in inspect', async () => {
    const name = await sleeper('-m', '64m');

    await docker.ok(['update', '-m', '128m', '--memory-swap', '256m', '--pids-limit', '33', name]);

    const { State, HostConfig } = await docker.inspect(name);
    expect(HostConfig).toMatchObject({ Memory: 128 * 2 ** 20, PidsLimit: 33 });
    const { Pid } = State;
    expect(cgroupLimit(Pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(
      String(128 * 2 ** 20),
    );
    expect(cgroupLimit(Pid, 'pids', 'pids.max', 'pids.max')).toBe('33');
  });

  test('of a stopped one, they are there at its next start', async () => {
    const name = aName();
    await docker.ok(['create', '--name', name, '-m', '64m', 'busybox', 'sleep', '1000']);

    await docker.ok(['update', '--cpus', '0.5', name]);
    await docker.ok(['start', name]);

    expect((await docker.inspect(name)).HostConfig).toMatchObject({ NanoCpus: 500_000_000 });
  });

  test.for([
    [['-m', '1g'], 'Memory limit should be smaller than already set memoryswap limit'],
    [['--cpu-quota', '5000'], 'CPU Quota cannot be updated as NanoCPUs has already been set'],
    [['-m', '1m'], 'Minimum memory limit allowed is 6MB'],
    [['--restart', 'sometimes'], 'invalid restart policy'],
  ] as const)('%j is refused', async ([flags, sentence]) => {
    const name = aName();
    const limits = ['-m', '64m', '--cpus', '0.5'];
    await docker.ok(['create', '--name', name, ...limits, 'busybox', 'true']);

    const { code, stderr } = await docker(['update', ...flags, name]);

    expect(code).toBe(1);
    expect(stderr.toLowerCase()).toContain(sentence.toLowerCase());
  });
});

describe('restart', () => {
  test('stops and starts, also what did not run', async () => {
    const name = await sleeper();
    const before = (await docker.inspect(name)).State;

    await docker.ok(['restart', '-t', '0', name]);
    const after = (await docker.inspect(name)).State;
    await docker.ok(['kill', name]);
    await docker.ok(['restart', name]);

    expect(after.Running).toBe(true);
    expect(after.Pid).not.toBe(before.Pid);
    expect((await docker.inspect(name)).State.Running).toBe(true);
  });

  test('a container with --rm survives it', async () => {
    const name = await sleeper('--rm');

    await docker.ok(['restart', '-t', '0', name]);

    expect((await docker.inspect(name)).State.Running).toBe(true);
  });
});

test('container prune takes what has stopped and fits the filter', async () => {
  const [living, wanted, other] = [await sleeper(), aName(), aName()];
  await docker.ok(['create', '--name', wanted, '--label', 'prune=me', 'busybox', 'true']);
  await docker.ok(['create', '--name', other, 'busybox', 'true']);

  const printed = await docker.ok(['container', 'prune', '-f', '--filter', 'label=prune=me']);
  const nothing = await docker(['container', 'prune', '-f', '--filter', 'nosuch=1']);

  expect(printed).toContain('Deleted Containers:');
  expect((await docker(['inspect', wanted])).code).toBe(1);
  expect((await docker.inspect(other)).State.Status).toBe('created');
  expect((await docker.inspect(living)).State.Running).toBe(true);
  expect(nothing.stderr.toLowerCase()).toContain("invalid filter 'nosuch'");
});

test('container prune reads times as Docker does', async () => {
  const filters = encodeURIComponent(JSON.stringify({ until: ['abc'] }));

  expect((await ask('POST', `/containers/prune?filters=${filters}`)).json).toEqual({
    message: 'failed to parse value as time or duration: "abc"',
  });
});

test('system df counts images, containers and volumes', async () => {
  await sleeper();

  const rows = (await docker.ok(['system', 'df', '--format', '{{.Type}} {{.Active}}'])).split('\n');

  expect(rows.map((row) => row.split(' ')[0])).toEqual(['Images', 'Containers', 'Local', 'Build']);
  expect(rows[1]).toBe('Containers 1');
  expect(await docker.ok(['system', 'df', '-v'])).toContain('sleep 1000');
});

test('system prune takes what nobody uses, and says how much that was', async () => {
  const [stopped, network] = [aName(), `pruned-${process.pid}`];
  await docker.ok(['run', '--name', stopped, '--network', 'none', 'busybox', 'true']);
  await docker.ok(['network', 'create', network]);

  const { code, stdout } = await docker(['system', 'prune', '--force']);

  expect(code).toBe(0);
  expect(stdout).toContain(network);
  expect(stdout).toMatch(/Total reclaimed space: \d/);
  expect((await docker(['inspect', stopped])).code).toBe(1);
});

ofOursAlone('building and searching are refused with what to do instead', async () => {
  const search = await docker(['search', 'busybox']);
  const build = await ask('POST', '/v1.41/build');

  expect([search.code, build.status]).toEqual([1, 501]);
  expect(search.stderr).toContain('docker search is not supported by this daemon yet: look on');
  expect(build.json).toMatchObject({
    message: expect.stringContaining('import a root file system'),
  });
});
