/** The file system of a container, as its own program and the host see it. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { Bench, dockerMounts } from '../testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const sh = (script: string, changes: Parameters<Bench['run']>[1] = {}): Promise<string> =>
  bench.run(['sh', '-c', script], changes).then(({ output }) => output);

test('the root is the image, and nothing of the host is left', async () => {
  const output = await sh(
    'ls -d /*; cat /proc/self/mountinfo | wc -l; ls /proc | grep -c "^[0-9]"; cat /proc/1/cmdline | tr "\\0" " "',
  );
  const lines = output.split('\n');

  expect(lines.slice(0, 7)).toEqual(['/bin', '/dev', '/etc', '/proc', '/root', '/sys', '/tmp']);
  expect(Number(lines[7])).toBeLessThan(50);
  expect(Number(lines[8])).toBeLessThan(6);
  expect(output).toContain('sh -c ls');
});

test('the devices of the specification are there with their numbers, and ptmx leads to its own devpts', async () => {
  const output = await sh(
    'for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" /dev/$d; done; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink /dev/$l); done; ls /dev/pts; ls /dev | wc -l',
  );

  expect(output).toContain(
    [
      '/dev/null character special file 1:3 666',
      '/dev/zero character special file 1:5 666',
      '/dev/full character special file 1:7 666',
      '/dev/random character special file 1:8 666',
      '/dev/urandom character special file 1:9 666',
      '/dev/tty character special file 5:0 666',
      'fd /proc/self/fd',
      'stdin /proc/self/fd/0',
      'stdout /proc/self/fd/1',
      'stderr /proc/self/fd/2',
      'ptmx pts/ptmx',
      'ptmx',
    ].join('\n'),
  );
});

test('a device of config.json is made with owner and mode', async () => {
  const output = await sh('stat -c "%F %t:%T %a %u:%g" /dev/deep/disk', {
    linux: {
      devices: [
        {
          type: 'b',
          path: '/dev/deep/disk',
          major: 7,
          minor: 300,
          fileMode: 0o640,
          uid: 3,
          gid: 4,
        },
      ],
    },
  });

  expect(output).toBe('block special file 7:12c 640 3:4\n');
});

test('masked paths show nothing, read-only paths cannot be written, and keep the flags of their mount', async () => {
  const output = await sh(
    'cat /proc/keys | wc -c; ls /sys/firmware | wc -l; echo 1 >/proc/sys/kernel/dmesg_restrict; echo x >/proc/irq/default_smp_affinity; grep " /proc/sys " /proc/self/mountinfo | cut -d" " -f6',
  );

  expect(output).toContain('0\n0\n');
  expect(output).toContain("can't create /proc/sys/kernel/dmesg_restrict: Read-only file system");
  expect(output).toContain("can't create /proc/irq/default_smp_affinity: Read-only file system");
  expect(output).toContain('ro,nosuid,nodev,noexec');
});

test('a read-only root refuses writes, its tmpfs mounts do not', async () => {
  const output = await sh('echo x >/file; echo x >/dev/shm/file && echo written', {
    spec: { root: { path: 'rootfs', readonly: true } },
  });

  expect(output).toContain("can't create /file: Read-only file system");
  expect(output).toContain('written');
});

test('a tmpfs that shall be read-only still gets what is mounted inside of it', async () => {
  const mounts = [
    ...dockerMounts(),
    { destination: '/ro', type: 'tmpfs', source: 'tmpfs', options: ['ro'] },
    { destination: '/ro/inner', type: 'tmpfs', source: 'tmpfs', options: [] },
  ];
  const output = await sh('echo x >/ro/a; echo x >/ro/inner/a && echo written', {
    spec: { mounts },
  });

  expect(output).toContain("can't create /ro/a: Read-only file system");
  expect(output).toContain('written');
});

test('files and folders of the host can be shown, read-only when asked', async () => {
  const host = join(bench.folder, 'host');
  mkdirSync(host);
  writeFileSync(join(host, 'file'), 'from the host\n');
  const mounts = [
    ...dockerMounts(),
    { destination: '/data/folder', type: 'bind', source: host, options: ['rbind', 'rprivate'] },
    {
      destination: '/etc/hosts',
      type: 'bind',
      source: join(host, 'file'),
      options: ['rbind', 'rprivate', 'ro'],
    },
  ];

  const output = await sh(
    'cat /data/folder/file /etc/hosts; echo x >/etc/hosts; echo new >/data/folder/new; grep " /data/folder " /proc/self/mountinfo | grep -c "shared:\\|master:"',
    { spec: { mounts } },
  );

  expect(output).toContain('from the host\nfrom the host\n');
  expect(output).toContain("can't create /etc/hosts: Read-only file system");
  expect(output).toMatch(/\n0\n$/);
  expect(readFileSync(join(host, 'new'), 'utf8')).toBe('new\n');
});

test('read-only with everything below (rro) reaches nested mounts', async () => {
  const mounts = [
    ...dockerMounts(),
    { destination: '/tree', type: 'tmpfs', source: 'tmpfs', options: [] },
    { destination: '/tree/below', type: 'tmpfs', source: 'tmpfs', options: [] },
  ];
  const host = join(bench.folder, 'rro');
  mkdirSync(host);

  const output = await sh(
    'grep -c " /view" /proc/self/mountinfo; grep " /view" /proc/self/mountinfo | cut -d" " -f6 | cut -c1-2',
    {
      spec: {
        mounts: [
          ...mounts,
          { destination: '/view', type: 'bind', source: host, options: ['rbind', 'rro'] },
        ],
      },
    },
  );

  expect(output).toBe('1\nro\n');
});

test('recursive attributes reach the mounts below, and the flags of the top stay', async () => {
  const host = join(bench.folder, 'recursive');
  mkdirSync(join(host, 'below'), { recursive: true });
  native.mount({ source: 'x', target: join(host, 'below'), type: 'tmpfs', flags: 0, data: '' });
  try {
    const output = await sh('grep " /view" /proc/self/mountinfo | cut -d" " -f5,6', {
      spec: {
        mounts: [
          ...dockerMounts(),
          {
            destination: '/view',
            type: 'bind',
            source: host,
            options: ['rbind', 'rprivate', 'nodev', 'rnosuid', 'rnoexec', 'rnoatime'],
          },
        ],
      },
    });

    const [top = '', below = ''] = output.trim().split('\n');
    expect(top).toMatch(/^\/view .*nosuid,nodev,noexec,noatime/);
    expect(below).toMatch(/^\/view\/below .*nosuid,noexec,noatime/);
    expect(below).not.toContain('nodev');
  } finally {
    native.unmount(join(host, 'below'), 2);
  }
});

test.each(['/dev', '/etc/hosts', '/data'])(
  'a symbolic link of the image under %s does not lead a mount out of it',
  async (destination) => {
    const outside = join(bench.folder, `outside${destination.replaceAll('/', '-')}`);
    const bundle = bench.bundle(['true'], {
      spec: {
        mounts: [
          ...dockerMounts().filter((mount) => mount.destination === '/proc'),
          { destination: `${destination}/deep`, type: 'tmpfs', source: 'tmpfs', options: [] },
        ],
      },
    });
    mkdirSync(outside);
    rmSync(join(bundle.rootfs, destination), { recursive: true, force: true });
    // Absolute and climbing: both must end in the rootfs.
    symlinkSync(`/../../../../..${outside}`, join(bundle.rootfs, destination));

    const created = await bench.create(bundle).catch((error: unknown) => error);

    // Either the link was resolved inside the rootfs, where there is no such folder, or refused.
    expect(created).toBeInstanceOf(Error);
    expect(existsSync(join(outside, 'deep'))).toBe(false);
  },
);

test('a link that leads to a place in the image is followed there', async () => {
  const bundle = bench.bundle(['sh', '-c', 'grep -c " /real/target " /proc/self/mountinfo >/out'], {
    spec: {
      mounts: [
        ...dockerMounts(),
        { destination: '/link/target', type: 'tmpfs', source: 'tmpfs', options: [] },
      ],
    },
  });
  mkdirSync(join(bundle.rootfs, 'real'));
  symlinkSync('/real', join(bundle.rootfs, 'link'));

  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await exited;

  expect(readFileSync(join(bundle.rootfs, 'out'), 'utf8')).toBe('1\n');
});

test('/proc must be a folder, not a link', async () => {
  const bundle = bench.bundle(['true']);
  rmSync(join(bundle.rootfs, 'proc'), { recursive: true });
  symlinkSync('tmp', join(bundle.rootfs, 'proc'));

  await expect(bench.create(bundle)).rejects.toThrow('too many levels of symbolic links');
  expect(statSync(join(bundle.rootfs, 'tmp')).isDirectory()).toBe(true);
});

test('a working directory through a leaked descriptor is refused (CVE-2024-21626)', async () => {
  for (let fd = 3; fd < 12; fd++) {
    const cwd = `/proc/self/fd/${fd}/../../../../..`;
    const outcome = await bench
      .run(['ls', '-d', 'root'], { process: { cwd } })
      .catch((error: unknown) => error);

    // normalised for making it, it is /; entered, it must not be the host's tree.
    if (outcome instanceof Error) expect(outcome.message).toContain('chdir to cwd');
    else expect((outcome as { output: string }).output).not.toContain('home');
  }
});
