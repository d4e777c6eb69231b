/**
 * What a program may try once it runs in a container that Docker would make: each attempt fails, and the same attempt
 * works where the one measure that stops it was not asked for.
 */
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { LinuxSeccomp } from '../../protocol/oci/runtime-spec.ts';
import { Bench, capabilities, DOCKER_CAPABILITIES, type SpecChanges } from '../testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

const seccomp = JSON.parse(
  readFileSync(join(import.meta.dirname, '../testing/docker-seccomp.json'), 'utf8'),
) as LinuxSeccomp;

const run = async (command: string, changes: SpecChanges = {}): Promise<string> =>
  (await bench.run(['sh', '-c', `${command} 2>&1; echo "code $?"`], changes)).output;

const OTHERS_PIDS: SpecChanges = {
  linux: {
    namespaces: (['mount', 'network', 'uts', 'ipc'] as const).map((type) => ({ type })),
  },
};
const MORE_POWER: SpecChanges = {
  process: { capabilities: capabilities([...DOCKER_CAPABILITIES, 'CAP_SYS_ADMIN']) },
};
const CORE_PATTERN = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();

interface Attempt {
  readonly what: string;
  readonly command: string;
  readonly fails: RegExp;
  readonly changes?: SpecChanges;
  /** Without the measure. */
  readonly control: SpecChanges;
  readonly reached?: RegExp;
}

const attempts: readonly Attempt[] = [
  {
    what: 'a signal to a process of the host',
    command: `kill -0 ${process.pid}`,
    fails: /No such process/,
    control: OTHERS_PIDS,
  },
  {
    what: 'core_pattern, which the host’s kernel runs',
    command: `echo '${CORE_PATTERN}' > /proc/sys/kernel/core_pattern`,
    fails: /Read-only file system/,
    control: { linux: { readonlyPaths: [] } },
  },
  {
    what: 'a part of /proc that namespaces do not divide',
    command: 'test -s /proc/timer_list || test -n "$(cat /proc/keys)"',
    fails: /code 1/,
    control: { linux: { maskedPaths: [] } },
  },
  {
    what: 'a device of the host, made by number',
    command: 'mknod /tmp/disk b 7 0 && cat /tmp/disk',
    fails: /Operation not permitted/,
    // Whether there is such a disk on this machine is another question.
    reached: /code 0\n$|No such device/,
    control: {
      linux: { resources: { devices: [{ allow: true, access: 'rwm' }] } },
    },
  },
  {
    what: 'a mount',
    command: 'mount -t tmpfs none /tmp',
    fails: /permission denied|not permitted/i,
    control: MORE_POWER,
  },
  {
    what: 'a user namespace, in which it would have all powers',
    command: 'unshare -U true',
    fails: /not permitted/,
    changes: { linux: { seccomp } },
    control: {},
  },
  {
    what: 'a mount namespace of its own',
    command: 'unshare -m true',
    fails: /not permitted/,
    control: MORE_POWER,
  },
];

describe.each(attempts)('$what', ({ command, fails, changes, control, reached }) => {
  test('is out of reach', async () => {
    expect(await run(command, changes)).toMatch(fails);
  });

  test('is within reach without that measure', async () => {
    expect(await run(command, control)).toMatch(reached ?? /code 0\n$/);
  });
});

test('release_agent cannot be written, nor can a cgroup be mounted to write one', async () => {
  expect(
    await run('for f in /sys/fs/cgroup/*/release_agent; do echo /x > $f; done; false'),
  ).not.toMatch(/code 0/);
  expect(await run('mkdir /tmp/c && mount -t cgroup -o memory none /tmp/c')).toMatch(
    /denied|not permitted/i,
  );
});

test('nothing of the host is seen through /proc', async () => {
  const pids = await run('ls /proc | grep -c "^[0-9]"');
  // sh, ls, grep.
  expect(Number(pids.split('\n')[0])).toBeLessThanOrEqual(3);
  expect(await run('readlink /proc/1/root')).toBe('/\ncode 0\n');
});

test('a descriptor that the caller has open does not reach the program', async () => {
  const secret = openSync('/etc/passwd', 'r');
  try {
    expect(await run('ls /proc/self/fd | wc -l')).toMatch(/^4\n/);
  } finally {
    closeSync(secret);
  }
});

describe('what is used up stays within its limits', () => {
  test('a fork bomb', async () => {
    const output = await run(
      'i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; ls /proc | grep -c "^[0-9]"',
      { linux: { resources: { pids: { limit: 20 } } } },
    );
    expect(output).toMatch(/can't fork|Resource temporarily unavailable/);
  });

  test('memory', async () => {
    const limit = 32 * 1024 * 1024;
    const { code } = await bench.run(
      ['sh', '-c', 'x=$(head -c 100000000 /dev/zero | tr "\\0" a); echo ${#x}'],
      {
        linux: { resources: { memory: { limit, swap: limit } } },
      },
    );
    expect(code).not.toBe(0);
  });

  test('/dev/shm', async () => {
    const output = await run('dd if=/dev/zero of=/dev/shm/full bs=1048576 count=100');
    expect(output).toMatch(/No space left on device/);
    expect(existsSync('/dev/shm/full')).toBe(false);
  });
});

test('a policy from before faccessat2 was known forbids it, and the program is found all the same', async () => {
  const older: LinuxSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['faccessat2', 'openat2'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
  };
  for (const args of [['true'], ['/bin/true']]) {
    // A user whose capabilities open more than its ids do must be asked about by faccessat2 first.
    for (const uid of [0, 10]) {
      const user = { uid, gid: uid };
      const changes = { linux: { seccomp: older }, process: { user } };
      expect(await bench.run(args, changes)).toMatchObject({ code: 0 });
    }
  }
});

test('a policy that refuses exit_group does not keep an init alive that has failed', async () => {
  const deathless: LinuxSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['exit', 'exit_group', 'kill', 'tgkill'], action: 'SCMP_ACT_ERRNO' }],
  };
  const bundle = bench.bundle(['/does/not/exist'], { linux: { seccomp: deathless } });
  await expect(bench.create(bundle)).rejects.toThrow('no such file or directory');
});
