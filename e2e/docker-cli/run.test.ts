/** `docker run`: output, exit codes, detaching, and what each flag does, asked from inside or from the kernel. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { cgroupLimit, namespaceOf, statusOf } from '../support/kernel.ts';
import { aName, docker } from './support/suite.ts';

const run = (...args: readonly string[]) => docker(['run', '--rm', ...args]);

describe('output and exit code', () => {
  test('run --rm prints what the program prints and nothing else', async () => {
    expect(await run('busybox', 'echo', 'hello')).toMatchObject({
      code: 0,
      stdout: 'hello\n',
      stderr: '',
    });
  });

  test('stdout and stderr stay apart', async () => {
    const result = await run('busybox', 'sh', '-c', 'echo out; echo err >&2');

    expect(result).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test.for([0, 1, 7, 42, 255])('exit code %i is the exit code of docker', async (code) => {
    expect((await run('busybox', 'sh', '-c', `exit ${code}`)).code).toBe(code);
  });

  test('a program that does not exist gives 127', async () => {
    const { code, stderr } = await run('busybox', 'no-such-program');

    expect(code).toBe(127);
    expect(stderr).toContain('exec: "no-such-program": executable file not found in $PATH');
  });

  test('a path that does not exist gives 127', async () => {
    const { code, stderr } = await run('busybox', '/no/such/program');

    expect(code).toBe(127);
    expect(stderr).toContain(
      'exec: "/no/such/program": stat /no/such/program: no such file or directory',
    );
  });

  test('a file that may not be executed gives 126', async () => {
    const { code, stderr } = await run('busybox', '/etc/passwd');

    expect(code).toBe(126);
    expect(stderr).toContain('exec: "/etc/passwd": permission denied');
  });

  test('a directory gives 126', async () => {
    const { code, stderr } = await run('busybox', '/etc');

    expect(code).toBe(126);
    expect(stderr).toMatch(/exec: "\/etc": (is a directory|permission denied)/);
  });

  test('a program killed by a signal gives 128 + the signal', async () => {
    expect((await run('busybox', 'sh', '-c', "sh -c 'kill -9 $$'; exit $?")).code).toBe(137);
  });

  test('a killed container gives 137', async () => {
    const name = aName();
    const running = docker.start([
      'run',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo ready; exec sleep 1000',
    ]);
    await running.until(/ready/);

    await docker.ok(['kill', name]);

    expect((await running.finished).code).toBe(137);
  });

  test('SIGTERM to the client is proxied to the program', async () => {
    const running = docker.start([
      ...['run', '--rm', 'busybox', 'sh', '-c'],
      'trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.1; done',
    ]);
    await running.until(/ready/);

    running.process.kill('SIGTERM');

    expect(await running.finished).toMatchObject({ code: 9, stdout: 'ready\ntold\n' });
  });
});

describe('detached', () => {
  test('run -d prints the id at once and leaves the container running', async () => {
    const name = aName();
    const { code, stdout } = await docker([
      'run',
      '-d',
      '--name',
      name,
      'busybox',
      'sleep',
      '1000',
    ]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await docker.inspect(name)).toMatchObject({
      Id: stdout.trim(),
      State: { Running: true, Status: 'running' },
    });
  });

  test('run -d --rm is gone after its end', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--rm', '--name', name, 'busybox', 'true']);

    await eventually('removed', async () => (await docker(['inspect', name])).code === 1);

    expect(await docker.ok(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });

  test('without --rm the container stays, with its exit code', async () => {
    const name = aName();
    await docker(['run', '--name', name, 'busybox', 'sh', '-c', 'exit 3']);

    expect(await docker.inspect(name)).toMatchObject({
      State: { Status: 'exited', ExitCode: 3, Running: false, Pid: 0 },
    });
  });
});

describe('flags', () => {
  test('--name names, and a second one of that name is refused in the words of Docker', async () => {
    const name = aName();
    const id = await docker.ok(['create', '--name', name, 'busybox']);

    const { code, stderr } = await docker(['run', '--name', name, 'busybox', 'true']);

    expect(code).toBe(125);
    expect(stderr).toContain(
      `Conflict. The container name "/${name}" is already in use by container "${id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    );
  });

  test('without --name a name is made of an adjective and a surname', async () => {
    const id = await docker.ok(['create', 'busybox']);
    const { Name } = await docker.inspect(id);
    await docker.ok(['rm', id]);

    expect(Name).toMatch(/^\/[a-z]+_[a-z]+\d?$/);
  });

  test('-e sets a variable, also from the environment of the client', async () => {
    const { stdout } = await docker(
      ['run', '--rm', '-e', 'A=1 2', '-e', 'B', 'busybox', 'sh', '-c', 'echo "$A-$B"'],
      {
        env: { B: 'from outside' },
      },
    );

    expect(stdout).toBe('1 2-from outside\n');
  });

  test('the environment is PATH, HOSTNAME and HOME, and nothing of ours', async () => {
    const { stdout } = await run('--hostname', 'room', 'busybox', 'env');

    expect(stdout.trim().split('\n').sort()).toEqual([
      'HOME=/root',
      'HOSTNAME=room',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  test('-w is where the program starts, and is made when it is missing', async () => {
    expect((await run('-w', '/made/for/this', 'busybox', 'pwd')).stdout).toBe('/made/for/this\n');
  });

  test('-w that is not absolute is refused', async () => {
    const { code, stderr } = await run('-w', 'not/absolute', 'busybox', 'pwd');

    expect(code).toBe(125);
    expect(stderr).toContain(
      "the working directory 'not/absolute' is invalid, it needs to be an absolute path",
    );
  });

  test('-u takes numbers and leaves no privilege', async () => {
    const { stdout } = await run(
      '-u',
      '1234:5678',
      'busybox',
      'sh',
      '-c',
      'id -u; id -g; grep CapEff /proc/self/status',
    );

    expect(stdout).toBe('1234\n5678\nCapEff:\t0000000000000000\n');
  });

  test('-u takes a name from the passwd file of the image', async () => {
    expect((await run('-u', 'nobody', 'busybox', 'id', '-u')).stdout).toBe('65534\n');
  });

  test('-u with a name that the image does not know is refused', async () => {
    const { code, stderr } = await run('-u', 'stranger', 'busybox', 'id');

    expect(code).toBe(125);
    expect(stderr).toContain('unable to find user stranger: no matching entries in passwd file');
  });

  test('--hostname names the machine, else the short id does', async () => {
    expect((await run('--hostname', 'room', 'busybox', 'hostname')).stdout).toBe('room\n');
    const name = aName();
    const { stdout } = await docker(['run', '--name', name, 'busybox', 'hostname']);
    expect(stdout.trim()).toBe((await docker.inspect(name)).Id.slice(0, 12));
  });

  test('--read-only makes the root filesystem read-only', async () => {
    const { code, stderr } = await run('--read-only', 'busybox', 'touch', '/here');

    expect(code).toBe(1);
    expect(stderr).toContain('Read-only file system');
  });

  test('--entrypoint replaces the program, and arguments follow it', async () => {
    const { stdout } = await run('--entrypoint', '/bin/echo', 'busybox', 'one', 'two');

    expect(stdout).toBe('one two\n');
  });

  test('--network none leaves the loopback interface alone, and it is up', async () => {
    const { code, stdout } = await run(
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'ls /sys/class/net; ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up',
    );

    expect(code).toBe(0);
    expect(stdout).toBe('lo\nup\n');
  });
});

describe('isolation, as the kernel sees it', () => {
  test('the program has pid 1 in namespaces of its own', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const { Pid } = (await docker.inspect(name)).State;

    for (const kind of ['pid', 'mnt', 'uts', 'ipc', 'net'])
      expect(namespaceOf(Pid, kind), kind).not.toBe(namespaceOf('self', kind));
    expect(statusOf(Pid, 'NSpid').split(/\s+/)).toEqual([String(Pid), '1']);
  });

  test('the program has the default capabilities, a seccomp filter and no way to gain more', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const { Pid } = (await docker.inspect(name)).State;

    // CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE
    expect(statusOf(Pid, 'CapEff')).toBe('00000000a80425fb');
    expect(statusOf(Pid, 'CapBnd')).toBe('00000000a80425fb');
    expect(statusOf(Pid, 'Seccomp')).toBe('2');
  });

  test('-m limits memory, and the program that takes more is killed', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '-m', '32m', '--name', name, 'busybox', 'sleep', '1000']);
    const { Pid } = (await docker.inspect(name)).State;
    expect(cgroupLimit(Pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(
      String(32 << 20),
    );

    const greedy = aName();
    const { code } = await docker([
      'run',
      '-m',
      '16m',
      '--name',
      greedy,
      'busybox',
      'tail',
      '/dev/zero',
    ]);

    expect(code).toBe(137);
    expect((await docker.inspect(greedy)).State).toMatchObject({ OOMKilled: true, ExitCode: 137 });
  });

  test('--pids-limit limits processes', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--pids-limit', '5', '--name', name, 'busybox', 'sleep', '1000']);
    const { Pid } = (await docker.inspect(name)).State;
    expect(cgroupLimit(Pid, 'pids', 'pids.max', 'pids.max')).toBe('5');

    const { stderr } = await run(
      '--pids-limit',
      '5',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait',
    );

    expect(stderr).toContain("can't fork");
  });

  test('--cpus limits time on the processors', async () => {
    const name = aName();
    await docker.ok(['run', '-d', '--cpus', '0.5', '--name', name, 'busybox', 'sleep', '1000']);
    const { State, HostConfig } = await docker.inspect(name);

    const [
      quota,
      period = cgroupLimit(State.Pid, 'cpu', 'cpu.cfs_period_us', 'cpu.max').split(' ').at(-1),
    ] = cgroupLimit(...([State.Pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'] as const)).split(' ');

    expect(Number(quota) / Number(period)).toBe(0.5);
    expect(HostConfig.NanoCpus).toBe(5e8);
  });
});

describe('what the daemon refuses', () => {
  test.for([
    [['-m', '1k'], /Minimum memory limit allowed is 6MB/],
    [
      ['--cpus', '100000'],
      /range of CPUs is from 0\.01 to \d+\.00, as there are only \d+ CPUs available/i,
    ],
    [['--network', 'no-such-network'], /network no-such-network not found/],
    [
      ['--name', '-wrong-'],
      /Invalid container name \(-wrong-\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/,
    ],
  ] as const)('%j is refused with 125 and the reason', async ([flags, reason]) => {
    const { code, stdout, stderr } = await run(...flags, 'busybox', 'echo', 'never');

    expect(code).toBe(125);
    expect(stdout).toBe('');
    expect(stderr).toMatch(reason);
  });

  test('an image that nobody has is refused with 125, and the next run works', async () => {
    const { code, stderr } = await run('no-such-image-anywhere', 'true');

    expect(code).toBe(125);
    expect(stderr).toContain("Unable to find image 'no-such-image-anywhere:latest' locally");
    expect((await run('busybox', 'echo', 'still here')).stdout).toBe('still here\n');
  });

  test('a container that could not be started leaves no process', async () => {
    const name = aName();

    await docker(['run', '--name', name, 'busybox', 'no-such-program']);

    expect(await docker.inspect(name)).toMatchObject({
      State: { Status: 'created', Running: false, Pid: 0, ExitCode: 127 },
    });
  });
});
