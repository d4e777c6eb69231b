/** Namespaces that exist already, found by their paths: whose they are, and what may be done in them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { Kind } from './namespaces.ts';
import { Bench, dockerMounts, type SpecChanges } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const NAMESPACES = (['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'] as const).map((type) => ({
  type,
}));

/** All new but one. */
const joined = (type: Kind, path: string): { type: Kind; path?: string }[] => [
  ...NAMESPACES.filter((each) => each.type !== type),
  { type, path },
];

test('an existing time namespace is joined; its offsets stay as they are', async () => {
  const other = spawn(
    'unshare',
    ['--time', '--boottime', '1000000', '--fork', 'sh', '-c', 'echo ready && exec sleep 1000'],
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  onTestFinished(() => void process.kill(-(other.pid ?? NaN), 'SIGKILL'));
  await once(other.stdout, 'data');
  const inThere: SpecChanges = {
    linux: {
      namespaces: joined('time', `/proc/${other.pid}/ns/time_for_children`),
    },
  };
  const { output } = await bench.run(['cat', '/proc/uptime'], inThere);
  expect(Number(output.split(' ')[0])).toBeGreaterThan(1_000_000);

  const changed = bench.bundle(['true'], {
    linux: { ...inThere.linux, timeOffsets: { boottime: { secs: 1 } } },
  });
  await expect(bench.create(changed)).rejects.toThrow(
    'the offsets of an existing time namespace cannot be changed',
  );
});

/** A process with mounts of its own, in which `folder` has a file that the host's does not have. */
const inOtherMounts = async (folder: string): Promise<number> => {
  const other = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      'mount -t tmpfs tmpfs "$0" && echo theirs > "$0/file" && echo ready && exec sleep 1000',
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  return other.pid ?? 0;
};

test('an existing mount namespace: sources of mounts are looked up in it, and the host’s mounts stay as they were', async () => {
  const folder = join(bench.folder, 'elsewhere');
  mkdirSync(folder);
  const other = await inOtherMounts(folder);
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  const path = `/proc/${other}/ns/mnt`;
  const bundle = bench.bundle(['cat', '/tmp/volume/file'], {
    spec: {
      mounts: [
        ...dockerMounts(),
        { destination: '/tmp/volume', type: 'bind', source: folder, options: ['bind'] },
      ],
    },
    linux: {
      namespaces: joined('mount', path),
    },
  });
  const created = await bench.create(bundle);
  expect(readlinkSync(`/proc/${created.pid}/ns/mnt`)).toBe(readlinkSync(path));
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);

  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  expect(await exited).toBe(0);
  await bench.delete(bundle.id);
});

test('runc’s own mount namespace is refused, for its mounts would be the host’s', async () => {
  const bundle = bench.bundle(['true'], {
    linux: { namespaces: NAMESPACES.filter(({ type }) => type !== 'mount') },
  });

  await expect(bench.create(bundle)).rejects.toThrow(
    "runc create failed: a container in runc's own mount namespace is not supported: its mounts would be the host's",
  );
});

test('a hostname in an existing namespace is that of all who are in it; our own namespace by its path is refused', async () => {
  const other = spawn(
    'unshare',
    ['--uts', 'sh', '-c', 'hostname theirs && echo ready && read line && hostname'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void other.kill('SIGKILL'));
  const lines = createInterface({ input: other.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const named = (path: string): SpecChanges => ({
    spec: { hostname: 'ours' },
    linux: {
      namespaces: joined('uts', path),
      sysctl: { 'kernel.domainname': 'example' },
    },
  });
  const words = 'runc create failed: unable to set hostname without a private UTS namespace';
  const mine = bench.bundle(['true'], named('/proc/self/ns/uts'));
  await expect(bench.create(mine)).rejects.toThrow(words);

  const { output } = await bench.run(
    ['cat', '/proc/sys/kernel/hostname', '/proc/sys/kernel/domainname'],
    named(`/proc/${other.pid}/ns/uts`),
  );

  expect(output).toBe('ours\nexample\n');
  other.stdin.write('\n');
  expect((await lines.next()).value).toBe('ours');
});

test('who is somebody else in a user namespace of his own may not enter the mounts of others; nothing is left', async () => {
  const folder = join(bench.folder, 'not-his');
  mkdirSync(folder);
  const other = await inOtherMounts(folder);
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const bundle = bench.bundle(['true'], {
    linux: {
      namespaces: [...joined('mount', `/proc/${other}/ns/mnt`), { type: 'user' }],
      uidMappings: map,
      gidMappings: map,
    },
  });

  await expect(bench.create(bundle)).rejects.toThrow(
    /openat\(AT_FDCWD, "\/proc\/\d+\/ns\/mnt", O_CLOEXEC\): permission denied/,
  );
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});
