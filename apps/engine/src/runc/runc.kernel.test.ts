/** runc as a command, as containerd's shim and people call it. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench } from '../libcontainer/testing/bundle.ts';
import { native } from '../native/load.ts';

const bench = new Bench();
const ENGINE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RUNC = join(ENGINE, 'bin/runc');

beforeAll(() => {
  const build = spawnSync('node', [join(ENGINE, '../../scripts/build-engine.mjs'), 'runc'], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
});
afterAll(() => bench.close());

const runc = (args: readonly string[]) =>
  spawnSync(RUNC, ['--root', bench.root, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });

/** The container inherits its standard streams: a pipe would stay open as long as it lives, so they are a file. */
const create = (bundle: { readonly path: string; readonly id: string }, pidFile: string) => {
  const words = join(bundle.path, 'words');
  const fd = openSync(words, 'w');
  const args = ['create', '--bundle', bundle.path, '--pid-file', pidFile, bundle.id];
  const { status } = spawnSync(RUNC, ['--root', bench.root, ...args], {
    stdio: ['ignore', fd, fd],
    timeout: 30_000,
  });
  closeSync(fd);
  return { status, said: readFileSync(words, 'utf8') };
};

test('create, state, start, kill and delete', async () => {
  const bundle = bench.bundle(['sleep', '1000']);
  const pidFile = join(bundle.path, 'init.pid');

  expect(create(bundle, pidFile)).toEqual({ status: 0, said: '' });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const state = JSON.parse(runc(['state', bundle.id]).stdout) as Record<string, unknown>;
  expect(state).toMatchObject({
    ociVersion: '1.0.2',
    id: bundle.id,
    pid,
    status: 'created',
    bundle: bundle.path,
  });

  expect(runc(['start', bundle.id]).status).toBe(0);
  expect(JSON.parse(runc(['state', bundle.id]).stdout)).toMatchObject({ status: 'running' });
  expect(runc(['delete', bundle.id]).stderr).toContain('that is not stopped: running');

  const pidfd = native.pidfdOpen(pid);
  const dead = new Promise<void>((resolve) => {
    const stop = native.watchReadable(pidfd, () => {
      stop();
      resolve();
    });
  });
  expect(runc(['kill', bundle.id, 'KILL']).status).toBe(0);
  await dead;
  native.close(pidfd);
  expect(native.reap(pid)?.code).toBe(137);
  expect(JSON.parse(runc(['state', bundle.id]).stdout)).toMatchObject({
    status: 'stopped',
    pid: 0,
  });
  expect(runc(['kill', bundle.id, '9']).stderr).toContain('container not running');

  expect(runc(['delete', bundle.id]).status).toBe(0);
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
  expect(runc(['state', bundle.id]).stderr).toContain('does not exist');
});

test('what went wrong stands in the log that the caller names, as JSON', () => {
  const bundle = bench.bundle(['/not/there']);
  const log = join(bundle.path, 'log.json');

  const { status } = runc([
    '--log',
    log,
    '--log-format',
    'json',
    'create',
    '--bundle',
    bundle.path,
    bundle.id,
  ]);

  expect(status).toBe(1);
  const [line] = readFileSync(log, 'utf8').split('\n');
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 'error',
    msg: 'runc create failed: unable to start container process: exec: "/not/there": stat /not/there: no such file or directory',
  });
});

test.each([
  [['frobnicate'], 'no such verb: frobnicate'],
  [['create'], '"create" needs <container-id>'],
  [['create', '--no-pivot', 'x'], '--no-pivot is not supported'],
  [['kill', 'x', 'NOSUCH'], 'unknown signal'],
  [['state', '../../etc'], 'invalid container ID format'],
  [['--log-format', 'xml', 'state', 'x'], 'unknown log-format'],
])('a wrong command line is refused: %j', (args, words) => {
  const { status, stderr } = runc(args);

  expect(status).toBe(1);
  expect(stderr.replaceAll('\\"', '"')).toContain(words);
});

test('its version is told in the form that dockerd reads', () => {
  expect(runc(['--version']).stdout).toMatch(/^runc version \S+\nspec: \d+\.\d+\.\d+\n$/);
});

test('exec has the exit code of its program, ps and list show the container', () => {
  const bundle = bench.bundle(['sleep', '1000']);
  create(bundle, join(bundle.path, 'init.pid'));
  try {
    runc(['start', bundle.id]);

    const said = runc(['exec', '-u', '1000:1001', bundle.id, 'sh', '-c', 'id -u; id -g; exit 7']);

    expect([said.status, said.stdout]).toEqual([7, '1000\n1001\n']);
    expect(JSON.parse(runc(['ps', '-f', 'json', bundle.id]).stdout)).toHaveLength(1);
    expect(runc(['list', '-q']).stdout.split('\n')).toContain(bundle.id);
  } finally {
    runc(['delete', '--force', bundle.id]);
  }
}, 180_000);

test('what exec cannot do is refused by name, with its own exit code', () => {
  const { status, stderr } = runc(['exec', 'nobody', 'true']);
  expect([status, stderr]).toEqual([255, expect.stringContaining('does not exist')]);
  expect(runc(['list', '--format', 'xml']).stderr).toContain('invalid format option');
  expect(runc(['ps']).status).toBe(1);
});
