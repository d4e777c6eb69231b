/** A container on a terminal: the master comes back, the other end is its standard input, output and error. */
import { closeSync, readSync, writeSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { native } from '../native/load.ts';
import { Bench } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

/** Everything until the other end is closed (EIO). */
const readAll = (fd: number): string => {
  const chunks: string[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    try {
      const count = readSync(fd, buffer);
      if (count === 0) break;
      chunks.push(new TextDecoder().decode(buffer.subarray(0, count)));
    } catch {
      break;
    }
  }
  return chunks.join('');
};

test('the program sees a terminal of the asked size, as its controlling terminal and as /dev/console', async () => {
  const script =
    'tty; stty size; ls /dev/pts | tr "\\n" " "; stat -c "%t:%T" /dev/console; echo controlled >/dev/tty; read line; echo "got $line"';
  const bundle = bench.bundle(['sh', '-c', script], {
    process: { terminal: true, consoleSize: { height: 33, width: 101 } },
  });
  const created = await bench.create(bundle);
  const master = created.ptyMaster;
  if (master === null) throw new Error('no master');
  const exited = bench.exitOf(created);

  // Before the program runs, so that the echo cannot come between its lines.
  writeSync(master, 'words\n');
  await bench.start(bundle.id);
  const code = await exited;
  const output = readAll(master);
  closeSync(master);

  expect(code).toBe(0);
  expect(output).toContain('/dev/pts/0\r\n33 101\r\n0 ptmx 88:0\r\ncontrolled\r\n');
  expect(output).toContain('got words\r\n');
});

test('Ctrl-C on the master is SIGINT for the program', async () => {
  const bundle = bench.bundle(
    ['sh', '-c', 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 1; done'],
    { process: { terminal: true } },
  );
  const created = await bench.create(bundle);
  const master = created.ptyMaster;
  if (master === null) throw new Error('no master');
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);

  await new Promise<void>((resolve) => {
    native.setNonBlocking(master);
    const stop = native.watchReadable(master, () => {
      const buffer = new Uint8Array(64);
      if (
        new TextDecoder().decode(buffer.subarray(0, readSync(master, buffer))).includes('ready')
      ) {
        stop();
        resolve();
      }
    });
  });
  writeSync(master, '\u0003');

  expect(await exited).toBe(9);
  closeSync(master);
});

test('another user owns the terminal', async () => {
  const bundle = bench.bundle(['sh', '-c', 'stat -c "%u %G %a" $(tty); echo again >/dev/stdout'], {
    process: { terminal: true, user: { uid: 1000, gid: 1000 } },
  });
  const created = await bench.create(bundle);
  const master = created.ptyMaster;
  if (master === null) throw new Error('no master');
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await exited;

  expect(readAll(master)).toMatch(/^1000 \S+ 620\r\nagain\r\n/);
  closeSync(master);
});
