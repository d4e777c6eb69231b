/**
 * What a container may do and see beyond the usual: `--privileged`, `--cap-add`, `--device`, `--security-opt`,
 * and the namespaces that it shares (`--pid`, `--ipc`, `--uts`), asked from inside or from the kernel.
 */
import { readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { namespaceOf } from '../support/kernel.ts';
import { aName, docker, engine, isReal, ofOursAlone } from './support/suite.ts';

const run = (...args: readonly string[]) => docker(['run', '--rm', '--network', 'none', ...args]);
const sh = (...args: readonly string[]) => {
  const script = args.at(-1) ?? '';
  return run(...args.slice(0, -1), 'busybox', 'sh', '-c', script);
};

// Debian's 20.10 asks for capabilities that this machine may not have, and then fails.
ofOursAlone('--privileged has every capability of the daemon, and nothing is hidden', async () => {
  const own = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const { stdout, stderr, code } = await sh(
    '--privileged',
    'grep CapEff /proc/self/status | cut -f2; grep Seccomp: /proc/self/status | cut -f2;' +
      'grep -c "/sys sysfs ro" /proc/mounts; echo 1 >/proc/sys/vm/drop_caches && echo written',
  );

  expect({ stdout, stderr, code }).toEqual({
    stdout: `${own}\n0\n0\nwritten\n`,
    stderr: '',
    code: 0,
  });
});

ofOursAlone('--privileged finds the devices of the host', async () => {
  const { stdout } = await sh('--privileged', 'ls -l /dev/kmsg /dev/null | wc -l; ls /dev/pts');

  expect(stdout.split('\n')[0]).toBe('2');
  expect((await sh('ls /dev/kmsg')).code).toBe(1);
});

ofOursAlone('exec --privileged has what its container has not', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, '--network', 'none', 'busybox', 'sleep', '1000']);
  const caps = (...flags: string[]) =>
    docker.ok(['exec', ...flags, name, 'grep', 'CapEff', '/proc/self/status']);

  expect(await caps()).toContain('00000000a80425fb');
  expect(BigInt(`0x${(await caps('--privileged')).split('\t')[1]}`)).toBeGreaterThan(0xffffffffn);
});

describe('capabilities', () => {
  test('--cap-drop ALL --cap-add leaves one', async () => {
    const { stdout } = await sh(
      ...['--cap-drop', 'ALL', '--cap-add', 'NET_RAW', 'grep CapEff /proc/self/status'],
    );

    expect(stdout).toContain('0000000000002000');
  });

  ofOursAlone('--cap-add ALL is all that the daemon has, and seccomp stays', async () => {
    const own = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];

    const { stdout } = await sh(
      ...['--cap-add', 'ALL', 'grep -E "CapEff|Seccomp:" /proc/self/status | cut -f2'],
    );

    expect(stdout).toBe(`${own}\n2\n`);
  });
});

describe('security options', () => {
  test('no-new-privileges', async () => {
    const asked = await sh(
      '--security-opt',
      'no-new-privileges',
      'grep NoNewPrivs /proc/self/status',
    );
    const denied = await sh(
      ...['--security-opt', 'no-new-privileges=false', 'grep NoNewPrivs /proc/self/status'],
    );

    expect([asked.stdout, denied.stdout]).toEqual(['NoNewPrivs:\t1\n', 'NoNewPrivs:\t0\n']);
  });

  test('a seccomp profile of the user’s own: what it names fails as it says', async () => {
    const profile = join(engine.root, 'profile.json');
    writeFileSync(
      profile,
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          {
            names: ['mkdir', 'mkdirat'],
            action: 'SCMP_ACT_ERRNO',
            excludes: { caps: ['CAP_BPF'] },
          },
          { names: ['chmod'], action: 'SCMP_ACT_ERRNO', includes: { arches: ['nosuch'] } },
        ],
      }),
    );
    try {
      const { stderr, stdout } = await sh(
        ...[
          '--security-opt',
          `seccomp=${profile}`,
          'mkdir /made; touch /t && chmod 1 /t && echo 1',
        ],
      );

      expect(stderr).toContain("can't create directory '/made': Operation not permitted");
      expect(stdout).toBe('1\n');
    } finally {
      rmSync(profile);
    }
  });

  test.each([
    ['nosuch=1', 'invalid --security-opt 2: "nosuch=1"'],
    ['no-new-privileges=maybe', 'invalid --security-opt 2: "no-new-privileges=maybe"'],
  ])('%s is refused', async (option, sentence) => {
    const { code, stderr } = await sh('--security-opt', option, 'true');

    expect(code).toBe(125);
    expect(stderr).toContain(sentence);
  });

  test('systempaths=unconfined shows what is hidden', async () => {
    const count = 'grep -c " /proc/" /proc/mounts';

    expect((await sh('--security-opt', 'systempaths=unconfined', count)).stdout).toBe('0\n');
    expect(Number((await sh(count)).stdout)).toBeGreaterThan(3);
  });
});

describe('devices', () => {
  test('--device gives one device, under another name', async () => {
    const { stdout } = await sh(
      ...[
        '--device',
        '/dev/zero:/dev/nought:r',
        'head -c 3 /dev/nought | wc -c; ls -l /dev/nought',
      ],
    );

    expect(stdout).toMatch(/^3\ncrw.*1, +5 .*\/dev\/nought\n$/);
  });

  test('the cgroup decides what may be done with it', async () => {
    // The kernel's log: a node of it alone opens nothing.
    const open = 'mknod /k c 1 11; exec 3>/k && echo open';
    const denied = await sh(open);
    const allowed = await sh('--device-cgroup-rule', 'c 1:11 w', open);

    expect(denied.stdout).toBe('');
    expect(denied.stderr).toMatch(/can't create \/k: Operation not permitted/);
    expect(allowed.stdout).toBe('open\n');
  });

  test.each([
    [
      ['--device', '/dev/nosuch'],
      'error gathering device information while adding custom device "/dev/nosuch": no such file or directory',
    ],
    [['--device', '/etc/hostname'], 'not a device node'],
    [['--gpus', 'all'], 'could not select device driver "" with capabilities: [[gpu]]'],
  ])('%j', async (flags, sentence) => {
    const { code, stderr } = await sh(...flags, 'true');

    // The client makes 127 of a missing file, whatever it was for.
    expect([125, 127]).toContain(code);
    expect(stderr).toContain(sentence);
  });
});

describe('namespaces', () => {
  test('--pid host sees the processes of the host', async () => {
    const { stdout } = await sh('--pid', 'host', 'readlink /proc/self/ns/pid');

    expect(stdout.trim()).toBe(readlinkSync('/proc/self/ns/pid'));
  });

  test('--pid container: and --ipc container: share with another', async () => {
    const lender = aName();
    const id = await docker.ok(
      ['run', '-d', '--name', lender, '--network', 'none', '--ipc', 'shareable'].concat(
        ...['busybox', 'sh', '-c', 'echo shared >/dev/shm/f; exec sleep 1000'],
      ),
    );
    const { State } = await docker.inspect(id);

    const { stdout, stderr } = await sh(
      ...['--pid', `container:${lender}`, '--ipc', `container:${lender}`],
      'readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; cat /dev/shm/f; grep -c sleep /proc/1/cmdline',
    );

    expect(stderr).toBe('');
    expect(stdout).toBe(
      `${namespaceOf(State.Pid, 'pid')}\n${namespaceOf(State.Pid, 'ipc')}\nshared\n1\n`,
    );
  });

  test('what is private cannot be joined, and what does not run neither', async () => {
    const [running, idle] = [aName(), aName()];
    await docker.ok([
      'run',
      '-d',
      '--name',
      running,
      '--ipc',
      'private',
      'busybox',
      'sleep',
      '1000',
    ]);
    await docker.ok(['create', '--name', idle, 'busybox', 'true']);

    const ofPrivate = await sh('--ipc', `container:${running}`, 'true');
    const ofIdle = await sh('--pid', `container:${idle}`, 'true');
    const ofNobody = await sh('--pid', 'container:nosuch', 'true');

    expect([ofPrivate.code, ofIdle.code, ofNobody.code]).toEqual([125, 125, 125]);
    expect(ofPrivate.stderr).toContain('non-shareable IPC');
    expect(ofIdle.stderr).toMatch(/not running|non running/);
    expect(ofNobody.stderr).toContain('No such container: nosuch');
  });

  test('--ipc none has no shared memory, --ipc host the host’s', async () => {
    expect((await sh('--ipc', 'none', 'grep -c /dev/shm /proc/mounts')).stdout).toBe('0\n');
    expect((await sh('--ipc', 'host', 'readlink /proc/self/ns/ipc')).stdout.trim()).toBe(
      readlinkSync('/proc/self/ns/ipc'),
    );
  });

  test('--uts host is the host’s name', async () => {
    expect((await sh('--uts', 'host', 'hostname')).stdout).toBe(`${hostname()}\n`);
  });

  test('a --sysctl of a namespace of its own is set, another one refused', async () => {
    const set = await sh('--sysctl', 'kernel.msgmax=4096', 'cat /proc/sys/kernel/msgmax');
    const refused = await sh('--sysctl', 'kernel.panic=1', 'true');

    expect(set.stdout).toBe('4096\n');
    expect(refused.code).toBe(125);
  });

  test('anybody may open a low port in a network of its own', async () => {
    const { stdout } = await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start');

    expect(stdout).toBe('0\n');
  });
});

test('the reads of a device can be slowed down, when the kernel can do it', async () => {
  const name = aName();
  const { code, stderr } = await docker([
    'run',
    '-d',
    '--name',
    name,
    '--device-read-bps',
    '/dev/null:1mb',
    'busybox',
    'sleep',
    '1',
  ]);

  // Null is no disk: the runtime says so, and nothing is left running.
  expect(code, stderr).toBe(125);
  expect(isReal || stderr.includes('throttle')).toBe(true);
});
