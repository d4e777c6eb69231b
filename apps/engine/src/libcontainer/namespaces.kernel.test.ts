/** User and time namespaces, and mounts that travel: asked of the kernel. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { native } from '../native/load.ts';
import { execContainer } from './exec-container.ts';
import { readHostFacts } from './host-facts.ts';
import { withNullStdio } from './null-stdio.ts';
import { Bench, type SpecChanges } from './testing/bundle.ts';
import { watchProcess } from './watch-process.ts';

const bench = new Bench();
// Root of the container is nobody here, and must be able to walk to its rootfs.
chmodSync(bench.folder, 0o755);
afterAll(() => bench.close());

const MS_BIND = 0x1000;
const MS_SHARED = 0x10_0000;
const MNT_DETACH = 2;

const BASE = 100_000;
const map = [{ containerID: 0, hostID: BASE, size: 65_536 }];
const NAMESPACES = (['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'] as const).map((type) => ({
  type,
}));

const VOLUME = { destination: '/tmp/volume', type: 'bind', source: '/', options: ['bind'] };

const inUserNamespace = (changes: SpecChanges = {}): SpecChanges => ({
  ...changes,
  linux: {
    namespaces: [...NAMESPACES, { type: 'user' }],
    uidMappings: map,
    gidMappings: map,
    ...changes.linux,
  },
});

test('root in a user namespace is somebody else outside', async () => {
  const { output, code } = await bench.run(
    [
      'sh',
      '-c',
      'id -u; id -g; cat /proc/self/uid_map; echo x > /tmp/made; echo gone > /dev/null && ls -l /dev/null | cut -c1',
    ],
    inUserNamespace({ process: { oomScoreAdj: 100 } }),
  );

  expect([code, output.replaceAll(/ +/g, ' ')]).toEqual([0, `0\n0\n 0 ${BASE} 65536\nc\n`]);
});

test('root in it has no capability that was not asked for, also where runc itself lacks some', async () => {
  const bundle = bench.bundle(['sleep', '1000'], inUserNamespace());
  const created = await bench.create(bundle, undefined, {
    ...readHostFacts(),
    boundingCapabilities: 0xa804_25fbn,
  });
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await created.execed;
  const status = readFileSync(`/proc/${created.pid}/status`, 'utf8');
  for (const set of ['Bnd', 'Prm', 'Eff'])
    expect(status).toMatch(new RegExp(`^Cap${set}:\\t00000000a80425fb$`, 'm'));
  await bench.delete(bundle.id, true);
  await exited;
});

test('what it makes belongs to the other one; its own process, too; exec goes in', async () => {
  const bundle = bench.bundle(['sleep', '1000'], inUserNamespace());
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  expect(statSync(`/proc/${created.pid}`).uid).toBe(BASE);
  const status = readFileSync(`/proc/${created.pid}/status`, 'utf8');
  expect(status).toMatch(new RegExp(`^Uid:\\s+${BASE}\\s+${BASE}`, 'm'));

  const executed = await withNullStdio((stdio) =>
    execContainer({
      native,
      tracer: bench.tracer,
      root: bench.root,
      id: bundle.id,
      process: {
        user: { uid: 1000, gid: 1000 },
        cwd: '/',
        args: ['touch', '/tmp/mine'],
        env: ['PATH=/bin'],
      },
      stdio,
    }),
  );
  native.close(executed.pidfd);
  expect(await watchProcess(native, executed.pid).exited).toMatchObject({ code: 0 });
  expect(statSync(join(bundle.rootfs, 'tmp/mine')).uid).toBe(BASE + 1000);

  await bench.delete(bundle.id, true);
  await exited;
});

test('a volume that the other one could not reach, and no way to it for the program', async () => {
  const hidden = join(bench.folder, 'hidden');
  mkdirSync(join(hidden, 'volume'), { recursive: true });
  chmodSync(join(hidden, 'volume'), 0o755);
  writeFileSync(join(hidden, 'volume/file'), 'found\n');
  chmodSync(hidden, 0o700);
  const bundle = bench.bundle(['true'], inUserNamespace());
  const volume = {
    destination: '/tmp/volume',
    type: 'bind',
    source: join(hidden, 'volume'),
    options: ['rbind', 'ro'],
  };

  const { output, code } = await bench.run(
    ['sh', '-c', 'cat /tmp/volume/file; ls /proc/self/fd | wc -l'],
    inUserNamespace({ spec: { mounts: [...(bundle.spec.mounts ?? []), volume] } }),
  );

  // 0, 1, 2, and the one of ls itself.
  expect([code, output]).toEqual([0, 'found\n4\n']);
});

test('an existing user namespace is joined, and everything else is new in it', async () => {
  const first = bench.bundle(['sleep', '1000'], inUserNamespace());
  const owner = await bench.create(first);
  const ownerExited = bench.exitOf(owner);
  const user = `/proc/${owner.pid}/ns/user`;
  const joining: SpecChanges = {
    process: { oomScoreAdj: 100 },
    linux: { namespaces: [...NAMESPACES, { type: 'user', path: user }] },
  };

  const { output, code } = await bench.run(
    ['sh', '-c', 'id -u; cat /proc/self/uid_map /proc/self/oom_score_adj; echo x > /dev/null'],
    joining,
  );
  expect([code, output.replaceAll(/ +/g, ' ')]).toEqual([0, `0\n 0 ${BASE} 65536\n100\n`]);

  const bundle = bench.bundle(['sleep', '1000'], joining);
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  expect(readlinkSync(`/proc/${created.pid}/ns/user`)).toBe(readlinkSync(user));
  expect(readlinkSync(`/proc/${created.pid}/ns/mnt`)).not.toBe(
    readlinkSync(`/proc/${owner.pid}/ns/mnt`),
  );
  expect(statSync(`/proc/${created.pid}`).uid).toBe(BASE);
  for (const id of [bundle.id, first.id]) await bench.delete(id, true);
  await Promise.all([exited, ownerExited]);
});

test('an id-mapped mount shows the same files under other owners, both ways', async () => {
  const source = mkdtempSync(join(bench.folder, 'volume-'));
  chmodSync(source, 0o777);
  writeFileSync(join(source, 'file'), 'found\n');
  chownSync(join(source, 'file'), 5, 6);
  const own = join(source, 'made');
  const mounts = bench.bundle(['true']).spec.mounts ?? [];
  const withVolume = (volume: object): NonNullable<SpecChanges['spec']> => ({
    mounts: [...mounts, { ...VOLUME, source, ...volume }],
  });
  const show = ['sh', '-c', 'stat -c "%u %g" /tmp/volume/file; touch /tmp/volume/made'];

  // The option alone means the container's map: the host's user 5 is the container's user 5, and not nobody.
  const mapped = await bench.run(
    show,
    inUserNamespace({ spec: withVolume({ options: ['rbind', 'ridmap'] }) }),
  );
  expect([mapped.code, mapped.output]).toEqual([0, '5 6\n']);
  expect(statSync(own)).toMatchObject({ uid: 0, gid: 0 });
  rmSync(own);

  const plain = await bench.run(show, inUserNamespace({ spec: withVolume({}) }));
  expect([plain.code, plain.output]).toEqual([0, '65534 65534\n']);
  expect(statSync(own)).toMatchObject({ uid: BASE, gid: BASE });
  rmSync(own);

  // A map of the mount's own, and no user namespace.
  const changes = {
    spec: withVolume({ uidMappings: map, gidMappings: [{ containerID: 6, hostID: 60, size: 1 }] }),
  };
  const other = await bench.run(['stat', '-c', '%u %g', '/tmp/volume/file'], changes);
  expect([other.code, other.output]).toEqual([0, `${BASE + 5} 60\n`]);
});

test.each<readonly [string, SpecChanges]>([
  ['no uid mappings found', inUserNamespace({ linux: { uidMappings: [] } })],
  ["USER namespace isn't enabled", { linux: { uidMappings: map } }],
  [
    'has no place in the uid mappings',
    inUserNamespace({ process: { user: { uid: 70_000, gid: 0 } } }),
  ],
  [
    'needs both uidMappings and gidMappings',
    { spec: { mounts: [{ ...VOLUME, uidMappings: map }] } },
  ],
  ['there are no mappings', { spec: { mounts: [{ ...VOLUME, options: ['bind', 'idmap'] }] } }],
  [
    'only a bind mount can be id-mapped',
    inUserNamespace({
      spec: { mounts: [{ destination: '/x', type: 'tmpfs', source: 'x', options: ['idmap'] }] },
    }),
  ],
  ["TIME namespace isn't enabled", { linux: { timeOffsets: { boottime: { secs: 1 } } } }],
])('refuses before anything is made: %s', async (words, changes) => {
  const before = bench.events.length;
  await expect(bench.create(bench.bundle(['true'], changes))).rejects.toThrow(words);
  expect(bench.events.slice(before).some(({ type }) => type === 'syscall')).toBe(false);
});

test('in a time namespace the machine was booted at another time', async () => {
  const day = 86_400;
  const { output } = await bench.run(['cat', '/proc/uptime'], {
    linux: {
      namespaces: [...NAMESPACES, { type: 'time' }],
      timeOffsets: { boottime: { secs: 1000 * day } },
    },
  });

  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const inside = Number(output.split(' ')[0]);
  expect(inside).toBeGreaterThan(999 * day + uptime);
  expect(inside).toBeLessThan(1001 * day + uptime);
});

const appears = (folder: string, name: string): Promise<void> =>
  new Promise((resolve) => {
    const watcher = watch(folder, (_, file) => {
      if (file !== name) return;
      watcher.close();
      resolve();
    });
  });

test('a mount in a shared volume appears on the host; one in the root does not', async () => {
  const shared = mkdtempSync(join(tmpdir(), 'shared-'));
  native.mount({ source: shared, target: shared, type: '', flags: MS_BIND, data: '' });
  native.mount({ source: '', target: shared, type: '', flags: MS_SHARED, data: '' });
  mkdirSync(join(shared, 'sub'));
  const volume = { destination: '/volume', type: 'bind', source: shared };
  const capabilities = ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE'];
  const bundle = bench.bundle(
    [
      'sh',
      '-c',
      'mount -t tmpfs inside /volume/sub && mount -t tmpfs own /tmp && touch /volume/ready; sleep 1000',
    ],
    {
      process: {
        capabilities: {
          bounding: capabilities,
          effective: capabilities,
          permitted: capabilities,
        },
      },
      linux: { rootfsPropagation: 'shared' },
    },
  );
  const config = join(bundle.path, 'config.json');
  const spec = {
    ...bundle.spec,
    mounts: [...(bundle.spec.mounts ?? []), { ...volume, options: ['rbind', 'rshared'] }],
  };
  writeFileSync(config, JSON.stringify(spec));
  const mountPoints = () => readFileSync('/proc/self/mountinfo', 'utf8');
  const before = mountPoints();
  try {
    const created = await bench.create(bundle);
    const ready = appears(shared, 'ready');
    await bench.start(bundle.id);
    await ready;

    expect(mountPoints()).toContain(` ${shared}/sub `);
    const exited = bench.exitOf(created);
    await bench.delete(bundle.id, true);
    await exited;
    native.unmount(join(shared, 'sub'), 0);
    // Neither the container's own mounts nor the end of its tree have touched the host's.
    expect(mountPoints()).toBe(before);
  } finally {
    native.unmount(shared, MNT_DETACH);
    rmSync(shared, { recursive: true });
  }
});
