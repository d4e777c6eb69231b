/**
 * The docker CLI over stacks of components, ours and Debian's crossed: the same commands, the same answers.
 * Debian's own stack and ours stand in it as well, to know what is to be expected.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Docker, dockerFor } from '../support/docker.ts';
import { type Engine, eventually } from '../support/engine.ts';
import { Matrix } from './matrix.ts';
import { DOCKER_PARTIES, titleOf } from './parties.ts';

type Command = (docker: Docker, name: string) => Promise<void>;
const RUN = ['run', '--network', 'none'];
const BUSY = ['sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'];

/** Starts a container that says so, and ends with 5 when it is asked to. */
const life = async (docker: Docker, name: string, ...flags: readonly string[]): Promise<void> => {
  await docker.ok([...RUN, '-d', '--name', name, ...flags, 'busybox', ...BUSY]);
  await eventually('it is ready', async () => (await docker.ok(['logs', name])) === 'ready');
};

const COMMANDS: Readonly<Record<string, Command>> = {
  run: async (docker) => {
    const said = await docker([
      ...RUN,
      '--rm',
      'busybox',
      'sh',
      '-c',
      'echo o; echo e >&2; exit 7',
    ]);
    expect(said).toMatchObject({ code: 7, stdout: 'o\n', stderr: 'e\n' });
  },
  'run -i': async (docker) => {
    const said = await docker([...RUN, '--rm', '-i', 'busybox', 'cat'], { input: 'typed' });
    expect(said).toMatchObject({ code: 0, stdout: 'typed' });
  },
  'run -t': async (docker) => {
    const { finished } = docker.onTerminal([
      ...RUN,
      '--rm',
      '-t',
      'busybox',
      'sh',
      '-c',
      'tty; test -t 0 && test -t 1 && echo both',
    ]);
    expect((await finished).stdout).toMatch(/^\/dev\/pts\/0\r+\nboth\r+\n$/);
  },
  'no program': async (docker) => {
    const { code, stderr } = await docker([...RUN, '--rm', 'busybox', 'no-such-program']);
    // The CLI goes by these very words; crun has others.
    const isSaid = /executable file not found|no such file or directory/.test(stderr);
    expect(code).toBe(isSaid ? 127 : 125);
    expect(stderr).toMatch(/no-such-program.*(not found in \$PATH|No such file or directory)/);
  },
  'no runtime': async (docker, name) => {
    const create = ['create', '--name', name, '--runtime', 'nope', 'busybox'];
    const { code, stderr } = await docker(create);
    expect(code).toBe(1);
    // The words of 20.10, and those of 28.
    expect(stderr).toMatch(/Unknown runtime specified nope|unknown or invalid runtime name: nope/);
    expect((await docker(['inspect', name])).code).toBe(1);
  },
  exec: async (docker, name) => {
    await life(docker, name);
    const said = await docker(['exec', '-e', 'A=b', name, 'sh', '-c', 'echo $A; exit 4']);
    expect(said).toMatchObject({ code: 4, stdout: 'b\n' });
    const { finished } = docker.onTerminal(['exec', '-t', name, 'tty']);
    expect((await finished).stdout).toMatch(/\/dev\/pts\/\d/);
  },
  top: async (docker, name) => {
    await life(docker, name);
    expect(await docker.ok(['top', name])).toContain('sh -c trap');
  },
  stats: async (docker, name) => {
    await life(docker, name, '--memory', '64m');
    const said = await docker.ok(['stats', '--no-stream', '--format', '{{.MemUsage}}', name]);
    expect(said).toMatch(/^[1-9].*B \/ 64MiB$/);
  },
  pause: async (docker, name) => {
    await life(docker, name);
    await docker.ok(['pause', name]);
    expect((await docker.inspect(name)).State.Status).toBe('paused');
    await docker.ok(['unpause', name]);
    expect((await docker.inspect(name)).State.Status).toBe('running');
  },
  update: async (docker, name) => {
    await life(docker, name, '--memory', '64m');
    await docker.ok(['update', '--memory', '32m', '--memory-swap', '64m', name]);
    const said = await docker.ok(['stats', '--no-stream', '--format', '{{.MemUsage}}', name]);
    expect(said).toContain('/ 32MiB');
  },
  stop: async (docker, name) => {
    await life(docker, name);
    await docker.ok(['stop', name]);
    expect((await docker.inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 5 });
  },
  restart: async (docker, name) => {
    await life(docker, name);
    const { Pid } = (await docker.inspect(name)).State;
    await docker.ok(['restart', '-t', '5', name]);
    await eventually('it is ready again', async () =>
      (await docker.ok(['logs', name])).endsWith('ready\nready'),
    );
    expect((await docker.inspect(name)).State.Pid).not.toBe(Pid);
  },
  kill: async (docker, name) => {
    await life(docker, name);
    await docker.ok(['kill', name]);
    expect(await docker.ok(['wait', name])).toBe('137');
  },
  oom: async (docker, name) => {
    const hog = 'x=a; while :; do x=$x$x$x$x; done';
    const { code } = await docker([
      ...RUN,
      '--name',
      name,
      '--memory',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'sh',
      '-c',
      hog,
    ]);
    expect(code).toBe(137);
    expect((await docker.inspect(name)).State.OOMKilled).toBe(true);
  },
};

const matrix = new Matrix(Object.keys(COMMANDS));
afterAll(() => {
  console.log(`${matrix.draw()}\n\n${matrix.failures} cells failed`);
});

describe.each(DOCKER_PARTIES.map((party) => [titleOf(party), party] as const))('%s', (_, party) => {
  let engine: Engine;
  let docker: Docker;
  let count = 0;
  beforeAll(async () => {
    engine = await party.start();
    docker = dockerFor(engine);
  });
  afterAll(async () => {
    const left = await docker.ok(['ps', '-aq']);
    if (left !== '') await docker(['rm', '-f', ...left.split('\n')]);
    await engine.stop();
  });

  test.each(Object.entries(COMMANDS))('docker %s', (column, command) =>
    matrix.cell(party, column, async () => {
      // No hexadecimal number: `docker inspect` would find a network or an image whose id begins with it.
      const name = `box-${(count += 1)}`;
      await command(docker, name);
      await docker(['rm', '-f', name]);
    }),
  );
});
