/** What we say when a container cannot be created, beside what the real runc says of the same bundle. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Bench, type SpecChanges } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const RUNC = 'runc';
const hasRunc = spawnSync(RUNC, ['--version']).status === 0;

interface Bundle {
  readonly id: string;
  readonly path: string;
}

/** The last error in runc's log, as containerd's shim reads it. */
const realMessage = ({ id, path }: Bundle): string => {
  const root = join(bench.folder, 'real-runc');
  const log = join(path, 'log.json');
  spawnSync(
    RUNC,
    ['--root', root, '--log', log, '--log-format', 'json', 'create', '--bundle', path, id],
    { stdio: 'ignore' },
  );
  spawnSync(RUNC, ['--root', root, 'delete', '--force', id], { stdio: 'ignore' });
  const errors = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level }) => level === 'error');
  return errors.at(-1)?.msg ?? 'created';
};

const ourMessage = async (bundle: Bundle): Promise<string> => {
  const outcome = await bench.create(bundle).catch((error: unknown) => error);
  return outcome instanceof Error ? outcome.message : 'created';
};

const program = (args: readonly string[], process: SpecChanges['process'] = {}) =>
  bench.bundle(args, { process });

const CASES: readonly (readonly [string, () => Bundle])[] = [
  ['a name that is in no folder of PATH', () => program(['foo'])],
  ['a path that does not exist', () => program(['/foo'])],
  ['a relative path that does not exist', () => program(['./foo/bar'])],
  ['a folder', () => program(['/etc'])],
  ['a file without x', () => program(['/etc/passwd'])],
  ['a path through a file', () => program(['/etc/passwd/x'])],
  ['a name without PATH', () => program(['sh'], { env: ['A=b'] })],
  [
    'a program that the user may not run',
    () => {
      const bundle = program(['/secret/run'], { user: { uid: 1000, gid: 1000 }, capabilities: {} });
      mkdirSync(join(bundle.path, 'rootfs/secret'), { mode: 0o700 });
      writeFileSync(join(bundle.path, 'rootfs/secret/run'), '#!/bin/sh\n', { mode: 0o755 });
      return bundle;
    },
  ],
  [
    'a working directory that only root may enter',
    () => {
      const bundle = program(['true'], {
        user: { uid: 1000, gid: 1000 },
        cwd: '/closed',
        capabilities: {},
      });
      mkdirSync(join(bundle.path, 'rootfs/closed'), { mode: 0o700 });
      return bundle;
    },
  ],
  ['no arguments', () => program([])],
];

test.runIf(hasRunc).each(CASES)('says of %s what runc says', async (_, make) => {
  const bundle = make();

  const [ours, theirs] = [await ourMessage(bundle), realMessage(bundle)];

  expect(ours).toBe(theirs);
});

test('a working directory that is a file is refused', async () => {
  const message = await ourMessage(program(['true'], { cwd: '/etc/passwd' }));

  expect(message).toBe(
    'runc create failed: unable to start container process: chdir to cwd ("/etc/passwd") set in config.json failed: not a directory',
  );
});

test('a mount that the kernel refuses is named with source, target, flags and reason', async () => {
  const mounts = [
    { destination: '/x', type: 'nosuchfs', source: 'nothing', options: ['ro', 'a=b'] },
  ];

  const message = await ourMessage(bench.bundle(['true'], { spec: { mounts } }));

  expect(message).toBe(
    'runc create failed: unable to start container process: error during container init: error mounting "nothing" to rootfs at "/x": ' +
      'mount nothing:/x, flags: 0x1, data: a=b: no such device',
  );
});

test('a bind mount without its source is refused', async () => {
  const mounts = [{ destination: '/x', type: 'bind', source: '/not/there', options: ['rbind'] }];

  await expect(bench.create(bench.bundle(['true'], { spec: { mounts } }))).rejects.toThrow(
    'stat /not/there: no such file or directory',
  );
});

test.each<readonly [string, SpecChanges]>([
  ['must be an absolute path', { spec: { hooks: { prestart: [{ path: 'hook' }] } } }],
  ['process.selinuxLabel', { process: { selinuxLabel: 'x' } }],
  ['linux.intelRdt', { linux: { intelRdt: { closID: 'x' } } }],
  ['apparmor is not enabled', { process: { apparmorProfile: 'docker-default' } }],
  ['systemd cgroup driver', { linux: { cgroupsPath: 'system.slice:docker:x' } }],
  [
    'hostname without a private UTS',
    { linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] } },
  ],
  ['is not in a separate kernel namespace', { linux: { sysctl: { 'kernel.panic': '1' } } }],
  ['invalid rlimit type', { process: { rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] } }],
])('refuses by name, before anything is made: %s', async (words, changes) => {
  const bundle = bench.bundle(['true'], changes);
  const before = bench.events.length;

  await expect(bench.create(bundle)).rejects.toThrow(words);

  expect(bench.events.slice(before).some(({ type }) => type === 'syscall')).toBe(false);
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});
