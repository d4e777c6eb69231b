/** Options of runc's verbs that no shim uses, but people and upstream's own tests do. */
import { spawnSync, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readHostFacts } from '../libcontainer/host-facts.ts';
import {
  Bench,
  DOCKER_CAPABILITIES,
  capabilities,
  type SpecChanges,
} from '../libcontainer/testing/bundle.ts';

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

const runc = (args: readonly string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']) =>
  spawnSync(RUNC, ['--root', bench.root, ...args], { encoding: 'utf8', stdio, timeout: 30_000 });

/** A container that sleeps. What runc said comes from a file, for the container inherits a pipe and keeps it open. */
const runDetached = (
  bundle: { readonly id: string; readonly path: string },
  global: string[] = [],
) => {
  const words = join(bundle.path, 'words');
  const fd = openSync(words, 'w');
  const { status } = runc(
    [...global, 'run', '--detach', '--bundle', bundle.path, bundle.id],
    ['ignore', fd, fd],
  );
  closeSync(fd);
  return { status, said: readFileSync(words, 'utf8') };
};

const remove = (id: string): void => {
  expect(runc(['delete', '--force', id])).toMatchObject({ status: 0 });
};

describe('--preserve-fds', () => {
  const SHOW = 'cat <&4; ls /proc/self/fd | tr "\\n" " "';
  const descriptors = (folder: string): number[] =>
    ['three', 'four'].map((word) => {
      writeFileSync(join(folder, word), `${word}\n`);
      return openSync(join(folder, word), 'r');
    });

  test('run and exec pass on what the caller names, under the same numbers, and nothing else', () => {
    const bundle = bench.bundle(['sh', '-c', SHOW]);
    const [three = -1, four = -1] = descriptors(bundle.path);
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', three, four];
    const ran = runc(['run', '--preserve-fds', '2', '--bundle', bundle.path, bundle.id], stdio);
    // 5 is the folder that ls reads.
    expect(ran).toMatchObject({ status: 0, stdout: 'four\n0 1 2 3 4 5 ', stderr: '' });

    const sleeper = bench.bundle(['sleep', '1000']);
    expect(runDetached(sleeper)).toEqual({ status: 0, said: '' });
    const again = descriptors(bundle.path);
    const done = runc(
      ['exec', '--preserve-fds=2', sleeper.id, 'sh', '-c', SHOW],
      ['ignore', 'pipe', 'pipe', ...again],
    );
    expect(done).toMatchObject({ status: 0, stdout: 'four\n0 1 2 3 4 5 ', stderr: '' });
    remove(sleeper.id);
    for (const fd of [three, four, ...again]) closeSync(fd);
  });

  test('sockets of systemd come first and are named, when they are meant for this process', () => {
    const show = 'echo $LISTEN_FDS $LISTEN_PID; cat <&4';
    const bundle = bench.bundle(['sh', '-c', show]);
    const [three = -1, four = -1] = descriptors(bundle.path);
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', three, four];
    const runWith = (pid: string) =>
      spawnSync(
        'sh',
        [
          '-c',
          `export LISTEN_FDS=1 LISTEN_PID=${pid}; exec "$@"`,
          'sh',
          ...[RUNC, '--root', bench.root, 'run', '--preserve-fds', '1'],
          ...['--bundle', bundle.path, bundle.id],
        ],
        { stdio, encoding: 'utf8' },
      );

    expect(runWith('$$')).toMatchObject({ status: 0, stdout: '1 1\nfour\n', stderr: '' });
    expect(runWith('1').stdout).toBe('\n');
    for (const fd of [three, four]) closeSync(fd);
  });

  test.each([
    ['2', 'unable to stat preserved-fd 0 (of 2): stat /proc/self/fd/3: no such file or directory'],
    ['x', 'invalid value "x" for flag -preserve-fds: parse error'],
  ])('%s of a caller who has none is refused', (count, sentence) => {
    const bundle = bench.bundle(['true']);
    const args = ['run', '--preserve-fds', count, '--bundle', bundle.path, bundle.id];
    const { status, stderr } = runc(args);
    expect(status).toBe(1);
    expect(stderr.replaceAll('\\"', '"')).toContain(sentence);
  });
});

describe('--no-pivot', () => {
  const withRoot = (args: readonly string[], script: string, linux: SpecChanges['linux'] = {}) => {
    const bundle = bench.bundle(['sh', '-c', script], {
      linux,
      process: { capabilities: capabilities([...DOCKER_CAPABILITIES, 'CAP_SYS_ADMIN']) },
    });
    return runc(['run', ...args, '--bundle', bundle.path, bundle.id]);
  };

  test('the root is the image', () => {
    const ran = withRoot(['--no-pivot'], 'pwd; ls -d /*');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('/bin\n');
    expect(ran.stdout).toMatch(/^\/\n/);
    expect(ran.stdout).not.toContain('/boot');
  });

  test('a user namespace inside gets no /proc without masks', () => {
    const attack = 'unshare -mrpf sh -c "mount -t proc none /proc && echo bare"';
    // Where nothing is masked, there is nothing to gain: the attack itself works.
    const bare = withRoot(['--no-pivot'], attack, { maskedPaths: [], readonlyPaths: [] });
    expect(bare).toMatchObject({ status: 0, stdout: 'bare\n' });
    expect(withRoot(['--no-pivot'], attack)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('permission denied') as string,
    });
  });
});

describe('cgroups', () => {
  const sleepers: string[] = [];
  afterEach(() => sleepers.splice(0).forEach(remove));
  const sleeper = (cgroupsPath?: string) => {
    const bundle = bench.bundle(['sleep', '1000'], cgroupsPath ? { linux: { cgroupsPath } } : {});
    const ran = runDetached(bundle);
    sleepers.push(bundle.id);
    return { id: bundle.id, inner: bundle.spec.linux?.cgroupsPath ?? '', ...ran };
  };
  const [hierarchy] = readHostFacts().hierarchies.filter(({ name }) => name === null);
  const controller = hierarchy?.version === 2 ? '' : `${hierarchy?.controllers[0] ?? ''}:`;

  test('exec --cgroup joins a cgroup below that of the container', () => {
    const { id, inner } = sleeper();
    const folder = join(hierarchy?.mountPoint ?? '', inner, 'below');
    mkdirSync(folder);
    const show = ['cat', '/proc/self/cgroup'];
    const joined = runc(['exec', '--cgroup', `${controller}below`, id, ...show]);
    expect(joined).toMatchObject({ status: 0, stderr: '' });
    expect(joined.stdout).toContain(`${inner}/below\n`);
    expect(runc(['exec', id, ...show]).stdout).not.toContain('below');
    rmdirSync(folder);
  });

  test.each([
    ['..', '.. is not a sub cgroup path'],
    ['absent', '/absent/cgroup.procs: no such file or directory'],
    ['whaaat:/', 'unknown controller whaaat in SubCgroupPaths'],
    ['a:b:c', 'invalid --cgroup argument: a:b:c'],
  ])('exec --cgroup %s is refused', (word, sentence) => {
    const { id } = sleeper();
    const { status, stderr } = runc(['exec', '--cgroup', word, id, 'true']);
    expect(status).toBe(255);
    expect(stderr).toContain(sentence);
  });

  test('run warns of a cgroup in which somebody is', () => {
    const first = sleeper();
    expect(first.said).toBe('');
    const second = sleeper(first.inner);
    expect(second.status).toBe(0);
    expect(second.said).toContain(
      `level=warning msg="container's cgroup is not empty: 1 process(es) found"`,
    );
  });
});

test('--debug tells each system call of the plan, in the log alone when there is one', () => {
  const bundle = bench.bundle(['true']);
  const log = join(bundle.path, 'log');
  const global = ['--debug', '--log', log, '--log-format', 'json'];
  const ran = runc([...global, 'run', '--bundle', bundle.path, bundle.id]);
  expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const lines = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string });
  expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['debug']));
  const words = lines.map(({ msg }) => msg);
  expect(words).toContainEqual(
    expect.stringMatching(/^container\[\d+\]: pivot_root\("\.", "\."\) = 0$/),
  );
  expect(words).toContainEqual(expect.stringMatching(/^child process in init\(\): process \d+$/));

  const quiet = bench.bundle(['true']);
  expect(runc(['run', '--bundle', quiet.path, quiet.id]).stderr).toBe('');
});

test('every verb has a page of help, and -h behind it belongs to the program', () => {
  const main = runc(['-h']);
  expect(main).toMatchObject({ status: 0, stderr: '' });
  const verbs = [...main.stdout.matchAll(/^ {3}([a-z]+) {2,}/gm)].flatMap(([, verb]) => verb ?? []);
  expect(verbs).toEqual(expect.arrayContaining(['create', 'exec', 'features', 'checkpoint']));
  for (const verb of verbs) {
    const page = runc([verb, '--help']);
    expect(page).toMatchObject({ status: 0, stderr: '' });
    expect(page.stdout).toMatch(new RegExp(`^NAME:\\n {3}runc ${verb} - `));
  }
  expect(runc(['foo', '-h'])).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("No help topic for 'foo'") as string,
  });
  expect(runc(['exec', 'absent', 'ls', '-h']).status).toBe(255);
});
