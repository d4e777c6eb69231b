/** `docker logs`: everything that was printed, now or as it comes. */
import { describe, expect, test } from 'vitest';
import { aName, docker, ofOursAlone } from './support/suite.ts';

test('logs gives both streams back, apart', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2']);

  expect(await docker(['logs', name])).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('logs of a detached container are complete', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, 'busybox', 'seq', '1', '20000']);
  await docker.ok(['wait', name]);

  const { stdout } = await docker(['logs', name]);

  expect(stdout).toBe(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
});

test('logs -f follows until the container ends', async () => {
  const name = aName();
  await docker.ok([
    'run',
    '-d',
    '-i',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'echo before; read line; echo "after $line"',
  ]);
  const following = docker.start(['logs', '-f', name]);
  await following.until(/before\n/);

  await docker(['attach', name], { input: 'go\n' });

  expect(await following.finished).toMatchObject({ code: 0, stdout: 'before\nafter go\n' });
});

test('--tail gives the last lines', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'seq', '1', '10']);

  expect(await docker.ok(['logs', '--tail', '2', name])).toBe('9\n10');
});

test('--timestamps puts the time before each line', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'echo', 'dated']);

  const line = await docker.ok(['logs', '--timestamps', name]);

  expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z dated$/);
  expect(Math.abs(Date.parse(line.split(' ')[0] ?? '') - Date.now())).toBeLessThan(60_000);
});

test('a last line without a newline, and bytes that are no text, come back as they were', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'printf', 'caf\\303\\251 no newline']);

  expect((await docker(['logs', name])).stdout).toBe('café no newline');
});

test('a very long line comes back in one piece', async () => {
  const name = aName();
  await docker([
    'run',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'head -c 100000 /dev/zero | tr "\\000" x; echo',
  ]);

  expect((await docker(['logs', name])).stdout).toBe(`${'x'.repeat(100_000)}\n`);
});

test('logs of a terminal are one raw stream', async () => {
  const name = aName();
  await docker(['run', '-t', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2']);

  expect(await docker(['logs', name])).toMatchObject({ stdout: 'out\r\nerr\r\n', stderr: '' });
});

test('logs of an unknown container fails', async () => {
  const { code, stderr } = await docker(['logs', 'no-such-container']);

  expect(code).toBe(1);
  expect(stderr).toContain('No such container: no-such-container');
});

describe('rotation', () => {
  const chatty = async (...flags: readonly string[]): Promise<string> => {
    const name = aName();
    // Each entry is 100 bytes and more: a thousand of them fill several files.
    const script = 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done';
    await docker.ok(['run', '--name', name, ...flags, 'busybox', 'sh', '-c', script]);
    return name;
  };

  test('max-size and max-file keep the newest lines, in order', async () => {
    const name = await chatty('--log-opt', 'max-size=10k', '--log-opt', 'max-file=3');

    const lines = (await docker.ok(['logs', name])).split('\n');

    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length).toBeLessThan(600);
    const first = Number(lines[0]?.split(' ')[1]);
    expect(lines).toEqual(lines.map((_, index) => `line ${first + index}`));
    expect(lines.at(-1)).toBe('line 999');
  });

  test('a tail goes on into older files', async () => {
    const name = await chatty('--log-opt', 'max-size=10k', '--log-opt', 'max-file=3');

    const lines = (await docker.ok(['logs', '--tail', '200', name])).split('\n');

    expect(lines).toEqual(Array.from({ length: 200 }, (_, index) => `line ${800 + index}`));
  });

  test('with one file, what is over its size is gone', async () => {
    const name = await chatty('--log-opt', 'max-size=10k');

    const lines = (await docker.ok(['logs', name])).split('\n');

    expect(lines.length).toBeLessThan(200);
    expect(lines.at(-1)).toBe('line 999');
  });

  // Debian's 20.10 says some lines twice.
  ofOursAlone('a follower goes on into the next file', async () => {
    const name = aName();
    const script = 'i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); usleep 2000; done';
    const options = ['--log-opt', 'max-size=4k', '--log-opt', 'max-file=100'];
    await docker.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script]);

    const { stdout } = await docker(['logs', '-f', name]);

    expect(stdout.trim().split('\n')).toEqual(
      Array.from({ length: 300 }, (_, index) => `line ${index}`),
    );
  });

  test.for([
    ['max-size=much', 'size'],
    ['max-file=0', 'max-file'],
    ['no-such-option=1', "unknown log opt 'no-such-option' for json-file log driver"],
  ])('%s is refused', async ([option, sentence]) => {
    const { code, stderr } = await docker([
      'run',
      '--rm',
      '--log-opt',
      option ?? '',
      'busybox',
      'true',
    ]);

    expect(code).not.toBe(0);
    expect(stderr).toContain(sentence);
  });
});

describe('other drivers', () => {
  const config = '{{json .HostConfig.LogConfig}} [{{.LogPath}}]';

  test('none: who is attached sees it, and nobody reads it later', async () => {
    const name = aName();
    const many = await docker([
      ...['run', '--name', name, '--log-driver', 'none', 'busybox', 'seq', '1', '200000'],
    ]);

    expect(many).toMatchObject({ code: 0, stderr: '' });
    expect(many.stdout.length).toBe(1_288_895);
    expect(await docker(['logs', name])).toMatchObject({
      code: 1,
      stderr: 'Error response from daemon: configured logging driver does not support reading\n',
    });
    expect(await docker.ok(['inspect', '--format', config, name])).toBe(
      '{"Type":"none","Config":{}} []',
    );
  });

  test('local: kept where only the daemon looks', async () => {
    const name = aName();
    const options = ['--log-opt', 'max-size=10k', '--log-opt', 'compress=false'];
    await docker.ok([
      ...['run', '-d', '--name', name, '--log-driver', 'local', ...options],
      ...['busybox', 'sh', '-c', 'echo one; echo two >&2'],
    ]);
    await docker.ok(['wait', name]);

    expect(await docker(['logs', name])).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
    expect(await docker.ok(['inspect', '--format', config, name])).toBe(
      '{"Type":"local","Config":{"compress":"false","max-size":"10k"}} []',
    );
  });

  test.each([
    [['local', '--log-opt', 'nosuch=1'], "unknown log opt 'nosuch' for log driver local"],
    [['local', '--log-opt', 'max-size=-1'], "invalid size: '-1'"],
  ])('%s is refused', async (flags, words) => {
    const { code, stderr } = await docker([
      ...['run', '--rm', '--log-driver', ...flags, 'busybox', 'true'],
    ]);

    expect(code).toBe(125);
    expect(stderr).toContain(words);
  });

  ofOursAlone('those that send logs away are not registered', async () => {
    const { code, stderr } = await docker(['create', '--log-driver', 'syslog', 'busybox']);

    expect(code).toBe(1);
    expect(stderr).toContain("logger: no log driver named 'syslog' is registered");
  });
});

test('logs -f ends with the run, also where a policy starts another one', async () => {
  const name = aName();
  await docker.ok([
    ...['run', '-d', '-i', '--name', name, '--restart', 'on-failure:1', 'busybox', 'sh', '-c'],
    'echo run; read line; exit 1',
  ]);
  const following = docker.start(['logs', '-f', name]);
  await following.until(/run\n/);
  await docker(['attach', name], { input: 'go\n' });

  expect(await following.finished).toMatchObject({ code: 0, stdout: 'run\n' });
});

test('--details of a driver that keeps none', async () => {
  const name = aName();
  await docker(['run', '--name', name, 'busybox', 'echo', 'x']);

  expect((await docker(['logs', '--details', name])).stdout).toBe(' x\n');
});
