/** Bytes: what goes in comes out, whole and in order, with and without a terminal. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { docker } from './support/suite.ts';

const MIB = 1 << 20;

/** Bytes that no filter, newline translation or repeated block could leave unchanged by accident. */
function bytesOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 2463534242;
  for (let at = 0; at + 4 <= sizeBytes; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('100 MB through run -i cat arrive whole and in order', { timeout: 120_000 }, async () => {
  const input = bytesOf(100 * MIB);

  const { code, stdoutBytes, stderr } = await docker(['run', '-i', '--rm', 'busybox', 'cat'], {
    input,
  });

  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(stdoutBytes.length).toBe(input.length);
  expect(sha256(stdoutBytes)).toBe(sha256(input));
});

test(
  '20 MB on stdout and 20 MB on stderr at the same time stay apart',
  { timeout: 120_000 },
  async () => {
    const input = bytesOf(20 * MIB);

    const { code, stdoutBytes, stderrBytes } = await docker(
      ['run', '-i', '--rm', 'busybox', 'tee', '/dev/stderr'],
      { input },
    );

    expect(code).toBe(0);
    expect(sha256(stdoutBytes)).toBe(sha256(input));
    expect(sha256(stderrBytes)).toBe(sha256(input));
  },
);

test('the end of the input reaches the program', async () => {
  const { code, stdout } = await docker(
    ['run', '-i', '--rm', 'busybox', 'sh', '-c', 'wc -c; echo ended'],
    { input: 'four' },
  );

  expect(code).toBe(0);
  expect(stdout).toBe('4\nended\n');
});

test('without -i the program has an empty input', async () => {
  const { stdout } = await docker(
    ['run', '--rm', 'busybox', 'sh', '-c', 'wc -c; readlink /proc/self/fd/0'],
    { input: 'never seen' },
  );

  expect(stdout).toBe('0\n/dev/null\n');
});

test('output is printed while the program runs, not at its end', async () => {
  const running = docker.start(['run', '-i', '--rm', 'busybox', 'cat']);

  running.process.stdin.write('first\n');
  await running.until(/^first\n$/);
  running.process.stdin.write('second\n');
  await running.until(/^first\nsecond\n$/);
  running.process.stdin.end();

  expect((await running.finished).code).toBe(0);
});

test('a program that closes its output early does not hang the client', async () => {
  const { code } = await docker(
    ['run', '-i', '--rm', 'busybox', 'sh', '-c', 'exec >&- 2>&-; exit 4'],
    { input: bytesOf(MIB) },
  );

  expect(code).toBe(4);
});

test('run -t gives a terminal: one stream, with carriage returns', async () => {
  const { code, stdout } = await docker([
    'run',
    '-t',
    '--rm',
    'busybox',
    'sh',
    '-c',
    'tty; echo err >&2',
  ]);

  expect(code).toBe(0);
  expect(stdout).toBe('/dev/pts/0\r\nerr\r\n');
});

test('run -t sets TERM and makes the terminal the controlling one', async () => {
  const { stdout } = await docker([
    'run',
    '-t',
    '--rm',
    'busybox',
    'sh',
    '-c',
    'echo $TERM; echo there > /dev/tty',
  ]);

  expect(stdout).toBe('xterm\r\nthere\r\n');
});

test('run -it is a conversation, and has the size of the terminal', async () => {
  const running = docker.onTerminal(['run', '-it', '--rm', 'busybox', 'sh']);
  await running.until(/# /);

  // The prompt may come before the client has told its size.
  const untilSized = 'until [ "$(stty size)" = "24 80" ]; do sleep 0.1; done';
  running.process.stdin.write(`${untilSized}; stty size; echo $((6*7))\n`);
  await running.until(/24 80\r\n42\r\n/);
  running.process.stdin.write('exit 3\n');

  expect((await running.finished).code).toBe(3);
});

test('Ctrl-C on the terminal interrupts the program', async () => {
  const running = docker.onTerminal([
    ...['run', '-it', '--rm', 'busybox', 'sh', '-c'],
    'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.1; done',
  ]);
  await running.until(/ready/);

  running.process.stdin.write('\x03');

  const { code, stdout } = await running.finished;
  expect(stdout).toContain('interrupted');
  expect(code).toBe(5);
});
