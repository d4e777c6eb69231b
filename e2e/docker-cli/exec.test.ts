/** `docker exec`: one more process in a running container, with its own output, input, user, and exit code. */
import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { ask } from './support/ask.ts';
import { aName, docker, engine, isReal, ofOursAlone } from './support/suite.ts';

async function sleeper(...flags: readonly string[]): Promise<string> {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
  return name;
}

describe('output, input and exit code', () => {
  test('stdout and stderr stay apart, and the exit code is the program’s', async () => {
    const name = await sleeper();

    const result = await docker(['exec', name, 'sh', '-c', 'echo out; echo err >&2; exit 7']);

    expect(result).toMatchObject({ code: 7, stdout: 'out\n', stderr: 'err\n' });
    expect((await docker.inspect(name)).State).toMatchObject({ Running: true });
  });

  test('-i feeds the input, and its end is told', async () => {
    const name = await sleeper();

    const result = await docker(['exec', '-i', name, 'sh', '-c', 'cat; echo end'], {
      input: 'a\nb\n',
    });

    expect(result).toMatchObject({ code: 0, stdout: 'a\nb\nend\n' });
  });

  test('without -i the input is empty', async () => {
    const name = await sleeper();

    expect(await docker(['exec', name, 'cat'], { input: 'not wanted' })).toMatchObject({
      code: 0,
      stdout: '',
    });
  });

  test('ten megabytes go in and come out whole', async () => {
    const name = await sleeper();
    const input = Buffer.alloc(10_000_000, 'engine room ');

    const { code, stderr, stdoutBytes } = await docker(['exec', '-i', name, 'cat'], { input });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdoutBytes.equals(input)).toBe(true);
  });

  test('-t gives it a terminal of the client’s size', async () => {
    const name = await sleeper();
    const script = 'tty; until stty size 2>&1 | grep "24 80"; do sleep 0.1; done; exit 3';
    const running = docker.onTerminal(['exec', '-it', name, 'sh', '-c', script]);

    const { code, stdout } = await running.finished;

    expect(stdout).toContain('/dev/pts/');
    expect(stdout).toContain('24 80');
    expect(code).toBe(3);
  });

  test('what a child holds open does not hold the client up', async () => {
    const name = await sleeper();

    expect(await docker(['exec', name, 'sh', '-c', 'sleep 600 & echo started'])).toMatchObject({
      code: 0,
      stdout: 'started\n',
    });
  });
});

describe('a program that cannot run', () => {
  test('one that does not exist gives 127', async () => {
    const name = await sleeper();

    const { code, stdout, stderr } = await docker(['exec', name, 'no-such-program']);

    // Docker before version 25 says 126.
    expect(isReal ? [126, 127] : [127]).toContain(code);
    expect(stdout + stderr).toContain(
      'exec: "no-such-program": executable file not found in $PATH',
    );
  });

  test('a file that may not be executed gives 126', async () => {
    const name = await sleeper();

    const { code, stdout, stderr } = await docker(['exec', name, '/etc/passwd']);

    expect(code).toBe(126);
    expect(stdout + stderr).toContain('permission denied');
  });

  test('detached, the client is told', async () => {
    const name = await sleeper();

    const { code, stderr } = await docker(['exec', '-d', name, 'no-such-program']);

    expect(code).toBe(1);
    expect(stderr).toContain('executable file not found in $PATH');
  });

  test('a user that does not exist is refused', async () => {
    const name = await sleeper();

    const { code, stdout, stderr } = await docker(['exec', '-u', 'nosuch', name, 'id']);

    expect(code).toBe(126);
    expect(stdout + stderr).toContain('unable to find user nosuch');
  });
});

describe('what it runs as', () => {
  test('-u, -w and -e are its own; the rest is the container’s', async () => {
    const name = await sleeper('-e', 'A=container', '-e', 'B=container', '-w', '/tmp');
    const script = 'id -u; id -g; pwd; echo $A $B $C';

    const flags = ['-u', 'nobody', '-w', '/home', '-e', 'B=exec', '-e', 'C=exec'];
    const own = await docker.ok(['exec', ...flags, name, 'sh', '-c', script]);
    const inherited = await docker.ok(['exec', name, 'sh', '-c', script]);

    expect(own).toBe('65534\n65534\n/home\ncontainer exec exec');
    expect(inherited).toBe('0\n0\n/tmp\ncontainer container');
  });

  test('it sees the container’s processes, name and limits', async () => {
    const name = await sleeper('--hostname', 'box', '--pids-limit', '50');

    const seen = await docker.ok(['exec', name, 'sh', '-c', 'hostname; cat /proc/1/cmdline']);

    expect(seen.replaceAll('\0', ' ').trim()).toBe('box\nsleep 1000');
  });
});

describe('the container it needs', () => {
  test('one that does not exist', async () => {
    expect(await docker(['exec', 'no-such-container', 'true'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No such container: no-such-container'),
    });
  });

  test('one that has stopped', async () => {
    const name = aName();
    await docker.ok(['run', '--name', name, 'busybox', 'true']);

    const { code, stderr } = await docker(['exec', name, 'true']);

    expect(code).toBe(1);
    expect(stderr).toMatch(/[Cc]ontainer [0-9a-f]+ is not running/);
  });

  test('one that is paused', async () => {
    const name = await sleeper();
    await docker.ok(['pause', name]);

    const { code, stderr } = await docker(['exec', name, 'true']);
    await docker.ok(['unpause', name]);

    expect(code).toBe(1);
    expect(stderr).toContain('is paused, unpause the container before exec');
  });

  test('its end is the end of its execs', async () => {
    const name = await sleeper();
    const running = docker.start(['exec', name, 'sh', '-c', 'echo ready; exec sleep 1000']);
    await running.until(/ready/);

    await docker.ok(['kill', name]);

    expect((await running.finished).code).toBe(137);
  });
});

describe('the API', () => {
  test('a detached exec goes on alone, and can be asked about', async () => {
    const name = await sleeper();
    const created = await ask('POST', `/containers/${name}/exec`, {
      Cmd: ['sh', '-c', 'echo $$ >/pid; exec sleep 1000'],
      User: 'root',
    });
    const { Id } = created.json as { Id: string };
    expect(created.status).toBe(201);
    expect((await docker.inspect(name)).ExecIDs).toEqual([Id]);

    expect((await ask('POST', `/exec/${Id}/start`, { Detach: true })).status).toBe(200);

    expect((await ask('GET', `/exec/${Id}/json`)).json).toMatchObject({
      ID: Id,
      Running: true,
      ProcessConfig: {
        entrypoint: 'sh',
        arguments: ['-c', 'echo $$ >/pid; exec sleep 1000'],
        tty: false,
      },
    });
    expect((await ask('POST', `/exec/${Id}/start`, { Detach: true })).status).toBe(409);
    await eventually(
      'its pid',
      async () => (await docker(['exec', name, 'test', '-s', '/pid'])).code === 0,
    );
    await docker.ok(['exec', name, 'sh', '-c', 'kill -9 $(cat /pid)']);
    await eventually('its exit code', async () => {
      const { json } = await ask('GET', `/exec/${Id}/json`);
      return (json as { ExitCode: number | null }).ExitCode === 137;
    });
    expect((await docker.inspect(name)).ExecIDs).toBeNull();
  });

  test('an id that does not exist, and a command that is missing', async () => {
    const name = await sleeper();

    const unknown = await ask('POST', '/exec/deadbeef/start', {});
    const empty = await ask('POST', `/containers/${name}/exec`, { Cmd: [] });

    expect(unknown).toMatchObject({
      status: 404,
      json: { message: expect.stringContaining('No such exec instance: deadbeef') },
    });
    expect(empty).toMatchObject({ status: 400, json: { message: 'No exec command specified' } });
  });

  test('events tell of it', async () => {
    const name = await sleeper();
    const since = Math.floor(Date.now() / 1000) - 1;
    await docker(['exec', name, 'sh', '-c', 'exit 4']);

    // Not before everything has been told, however long it took.
    const until = Math.floor(Date.now() / 1000) + 2;
    const events = await docker.ok([
      ...['events', '--since', String(since), '--until', String(until)],
      ...['--filter', `container=${name}`, '--filter', 'event=exec_create'],
      ...['--filter', 'event=exec_start', '--filter', 'event=exec_die'],
      ...['--format', '{{.Action}} {{.Actor.Attributes.exitCode}}'],
    ]);

    expect(events.split('\n').map((line) => line.replace('<no value>', '').trim())).toEqual([
      'exec_create: sh -c exit 4',
      'exec_start: sh -c exit 4',
      'exec_die 4',
    ]);
  });
});

ofOursAlone('a hundred execs leave no FIFO and no process behind', async () => {
  const name = await sleeper();
  const id = (await docker.inspect(name)).Id;
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { json } = await ask('POST', `/containers/${name}/exec`, {
          Cmd: ['true'],
          AttachStdout: true,
          AttachStderr: true,
        });
        await ask('POST', `/exec/${(json as { Id: string }).Id}/start`, {
          Detach: round % 2 === 0,
        });
      }),
    );
  }

  // The lab keeps a folder for each daemon; dockerd alone has the folder to itself.
  const folders = ['exec/docker', 'exec'].map((path) => join(engine.root, path, 'containers', id));
  const folder = folders.find((each) => existsSync(each)) ?? '';
  expect(folder).not.toBe('');
  await eventually('only the FIFOs of the container itself are left', () =>
    readdirSync(folder).every((file) => file.startsWith('init-')),
  );
  // The shell itself looks and tells; each further process of a pipe may be there yet or not.
  expect(await docker.ok(['exec', name, 'sh', '-c', 'set -- /proc/[0-9]*; echo $#'])).toBe('2');
});
