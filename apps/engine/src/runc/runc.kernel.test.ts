/** runc as a command, as containerd's shim and people call it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readHostFacts } from '../libcontainer/host-facts.ts';
import { Bench, traces } from '../libcontainer/testing/bundle.ts';
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
  [['frobnicate'], "No help topic for 'frobnicate'", 3],
  [['create'], 'runc: "create" requires exactly 1 argument(s)', 1],
  [['create', '--nosuch', 'x'], 'flag provided but not defined: -nosuch', 1],
  [['kill', 'x', '9', '15'], 'runc: "kill" requires a maximum of 2 argument(s)', 1],
  [['state', '../../etc'], 'invalid container ID format', 1],
  [['state', 'a/b'], 'invalid container ID format', 1],
  [['state', 'nobody'], 'container does not exist', 1],
  [['kill', 'nobody', 'NOSUCH'], 'container does not exist', 1],
  [['update', 'nobody'], 'container does not exist', 1],
  [['delete', 'nobody'], 'container does not exist', 1],
  [['delete', '--force', 'nobody'], '', 0],
  [['--log-format', 'xml', 'state', 'x'], 'invalid log-format: xml', 1],
  [['--systemd-cgroup', 'state', 'x'], 'systemd support for managing cgroups is not available', 1],
  [['checkpoint', 'x'], 'checkpoint is not supported', 1],
])('a wrong command line is answered as runc does: %j', (args, words, code) => {
  const { status, stderr } = runc(args);

  expect([status, stderr.replaceAll('\\"', '"')]).toEqual([code, expect.stringContaining(words)]);
});

test.each([
  ['{"broken', 'config.json is not JSON'],
  ['{}', 'process property must not be empty'],
  ['{"process":{"cwd":"/"},"root":{"path":7}}', 'config.json is not valid: ociVersion: '],
  [null, 'JSON specification file config.json not found'],
])('a config.json like %s is refused, and nothing is left', (config, words) => {
  const bundle = bench.bundle(['true']);
  if (config === null) rmSync(join(bundle.path, 'config.json'));
  else writeFileSync(join(bundle.path, 'config.json'), config);
  const pidFile = join(bundle.path, 'init.pid');

  const { status, said } = create(bundle, pidFile);

  expect([status, said]).toEqual([1, expect.stringContaining(`runc create failed: ${words}`)]);
  expect([existsSync(pidFile), existsSync(join(bench.root, bundle.id))]).toEqual([false, false]);
});

test('a rootfs that is missing or a symbolic link is refused', () => {
  const bundle = bench.bundle(['true']);
  renameSync(bundle.rootfs, `${bundle.rootfs}.moved`);
  expect(create(bundle, join(bundle.path, 'pid')).said).toContain(
    `invalid rootfs: stat ${bundle.rootfs}: no such file or directory`,
  );

  symlinkSync(`${bundle.rootfs}.moved`, bundle.rootfs);
  expect(create(bundle, join(bundle.path, 'pid')).said).toContain(
    'invalid rootfs: not an absolute path, or a symlink',
  );
});

test('an id is given once, and what was only created is deleted without force', () => {
  const bundle = bench.bundle(['sleep', '1000']);
  const pidFile = join(bundle.path, 'pid');
  create(bundle, pidFile);

  expect(create(bundle, pidFile)).toEqual({
    status: 1,
    said: expect.stringContaining('container with given ID already exists') as string,
  });
  expect(JSON.parse(runc(['state', bundle.id]).stdout)).toMatchObject({ status: 'created' });
  expect(runc(['delete', bundle.id])).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});

test('its version is told in the form that dockerd reads', () => {
  expect(runc(['--version']).stdout).toMatch(
    /^runc version \S+\ncommit: \S+\nspec: \d+\.\d+\.\d+\n$/,
  );
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

test('run has the exit code of its program, passes signals on, and leaves nothing', async () => {
  const bundle = bench.bundle([
    'sh',
    '-c',
    'trap "exit 9" TERM; echo ready; while :; do sleep 1; done',
  ]);
  const running = spawn(RUNC, ['--root', bench.root, 'run', '--bundle', bundle.path, bundle.id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(running, 'exit');
  await once(running.stdout, 'data');
  expect(JSON.parse(runc(['state', bundle.id]).stdout)).toMatchObject({ status: 'running' });

  running.kill('SIGTERM');

  expect(await exited).toEqual([9, null]);
  expect(runc(['state', bundle.id]).status).toBe(1);
  expect(traces(bench.cgroupParent, bench.folder).cgroups).not.toContain(bundle.id);
});

test('what run cannot start leaves nothing, and is told in its own name', () => {
  const bundle = bench.bundle(['no-such-program']);

  const { status, stderr } = runc(['run', '--bundle', bundle.path, bundle.id]);

  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining('runc run failed: unable to start'),
  ]);
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});

test('run --detach, update, events and delete', () => {
  const bundle = bench.bundle(['sleep', '1000']);
  runDetached(bundle);
  const limitOf = (controller: 'memory' | 'pids' | 'cpu') => limitIn(bundle.id, controller);

  const update = ['update', '--memory', '64M', '--pids-limit', '20', '--cpu-quota', '50000'];
  expect(runc([...update, bundle.id])).toMatchObject({ status: 0, stderr: '' });
  expect(limitOf('memory')).toBe('67108864');
  expect(limitOf('pids')).toBe('20');
  expect(limitOf('cpu')).toContain('50000');
  const { status } = spawnSync(RUNC, ['--root', bench.root, 'update', '-r', '-', bundle.id], {
    input: '{"memory":{"limit":33554432}}',
  });
  expect([status, limitOf('memory'), limitOf('pids')]).toEqual([0, '33554432', '20']);
  expect(runc(['update', '--memory', 'much', bundle.id]).stderr).toContain(
    "invalid value for memory: invalid size: 'much'",
  );

  const { type, id, data } = JSON.parse(runc(['events', '--stats', bundle.id]).stdout) as {
    type: string;
    id: string;
    data: { memory: { usage: { limit: number } }; pids: { current: number; limit: number } };
  };
  expect([type, id]).toEqual(['stats', bundle.id]);
  expect(data.memory.usage.limit).toBe(33554432);
  expect(data.pids).toEqual({ current: 1, limit: 20 });

  expect(runc(['delete', '-f', bundle.id]).status).toBe(0);
});

test('events go on until the container stops', async () => {
  const bundle = bench.bundle(['sleep', '1000']);
  runDetached(bundle);
  const events = spawn(RUNC, ['--root', bench.root, 'events', '--interval', '50ms', bundle.id]);
  const exited = once(events, 'exit');
  const [first] = (await once(events.stdout, 'data')) as [Buffer];
  events.stdout.resume();
  expect(String(first)).toContain('{"type":"stats"');

  runc(['kill', bundle.id, 'KILL']);

  expect(await exited).toEqual([0, null]);
  runc(['delete', bundle.id]);
});

test('spec writes a config.json that create takes, once', () => {
  const bundle = bench.bundle(['true']);
  rmSync(join(bundle.path, 'config.json'));
  expect(runc(['spec', '--bundle', bundle.path])).toMatchObject({ status: 0, stderr: '' });
  expect(runc(['spec', '--bundle', bundle.path]).stderr).toContain(
    'File config.json exists. Remove it first',
  );
  const config = join(bundle.path, 'config.json');
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace('"terminal": true', '"terminal": false'),
  );

  expect(runc(['run', '--bundle', bundle.path, bundle.id])).toMatchObject({
    status: 0,
    stderr: '',
  });
});

test('features names what the compiler knows', () => {
  const { hooks, linux } = JSON.parse(runc(['features']).stdout) as {
    hooks: string[];
    linux: { namespaces: string[]; cgroup: object };
  };
  expect(hooks).toContain('createRuntime');
  expect(linux.namespaces).toContain('pid');
  expect(linux.cgroup).toMatchObject({ v1: true, v2: true, systemd: false });
});

const runDetached = (bundle: { readonly path: string; readonly id: string }): void => {
  const nothing = openSync('/dev/null', 'r+');
  const { status } = spawnSync(
    RUNC,
    ['--root', bench.root, 'run', '--detach', '--bundle', bundle.path, bundle.id],
    { stdio: [nothing, nothing, nothing], timeout: 30_000 },
  );
  closeSync(nothing);
  expect(status).toBe(0);
};

/** The limit of a controller, whichever version of cgroups the machine has. */
const limitIn = (id: string, controller: 'memory' | 'pids' | 'cpu'): string => {
  const files = {
    memory: ['memory.limit_in_bytes', 'memory.max'],
    pids: ['pids.max', 'pids.max'],
    cpu: ['cpu.cfs_quota_us', 'cpu.max'],
  } as const;
  const [path] = readHostFacts().hierarchies.flatMap(({ version, controllers, mountPoint }) =>
    controllers.includes(controller)
      ? [join(mountPoint, bench.cgroupParent, id, files[controller][version - 1] ?? '')]
      : [],
  );
  return readFileSync(path ?? '', 'utf8').trim();
};
