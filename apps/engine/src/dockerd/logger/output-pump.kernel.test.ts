/** Kills the process that logs, again and again, while a program writes at full speed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { JsonFile } from './json-file.ts';
import { readLog } from './log-reader.ts';
import { OutputHub, type OutputSink } from './output-hub.ts';
import { OutputPump } from './output-pump.ts';

let directory: string;
let fifoPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-room-pump-'));
  fifoPath = join(directory, 'stdout');
  native.mkfifo(fifoPath, 0o600);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const loggedText = async (): Promise<string> => {
  const everything = { tail: null, since: 0, until: 0 };
  const parts: Buffer[] = [];
  const { signal } = new AbortController();
  for await (const { bytes } of readLog(join(directory, 'json.log'), everything, null, signal)) {
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('latin1');
};

test('a logger that is killed at any moment loses no line and writes none twice', async () => {
  const LINES = 150_000;
  const script = join(directory, 'pump.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'testing/pump-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  const nativeDirectory = resolve(import.meta.dirname, '../../../../../native/build');
  const env = { ...process.env, ENGINE_ROOM_NATIVE_DIR: nativeDirectory };
  const startPump = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [script, directory, fifoPath], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };
  // Both ends stay open, as the shim keeps them.
  const keeper = openSync(fifoPath, constants.O_RDWR | constants.O_NONBLOCK);
  const first = await startPump();
  const writer = spawn('sh', ['-c', `exec seq ${LINES} > "$1"`, 'sh', fifoPath]);
  const written = once(writer, 'exit');

  let pump = first;
  for (let kills = 0; kills < 6; kills++) {
    // Until something new was logged, so that each kill meets a pump at work.
    const before = readdirSync(join(directory, 'spool')).join();
    for (let waited = 0; waited < 200; waited++) {
      if (readdirSync(join(directory, 'spool')).join() !== before || writer.exitCode !== null)
        break;
      await new Promise((done) => setTimeout(done, 2));
    }
    const exit = once(pump, 'exit');
    pump.kill('SIGKILL');
    await exit;
    pump = await startPump();
  }
  await written;
  const ended = once(pump, 'exit');
  closeSync(keeper);
  await ended;

  const expected = `${Array.from({ length: LINES }, (_, index) => index + 1).join('\n')}\n`;
  expect((await loggedText()) === expected).toBe(true);
  expect(readdirSync(join(directory, 'spool'))).toEqual([]);
});

test('a client that reads slowly gets every byte, and holds up the container meanwhile', async () => {
  const BYTES = 3 * 1024 * 1024;
  const keeper = openSync(fifoPath, constants.O_RDWR | constants.O_NONBLOCK);
  const log = new JsonFile(join(directory, 'json.log'), join(directory, 'checkpoint.json'));
  const hub = new OutputHub();
  let received = 0;
  let mostAtOnce = 0;
  let pending = 0;
  const sink: OutputSink = {
    wants: { stdout: true, stderr: true },
    write: (_stream, bytes) => {
      received += bytes.length;
      pending += bytes.length;
      mostAtOnce = Math.max(mostAtOnce, pending);
      setImmediate(() => {
        pending = 0;
        hub.drained(sink);
      });
      return false;
    },
    end: () => undefined,
  };
  hub.add(sink);
  const pump = new OutputPump({
    stream: 'stdout',
    fifoPath,
    spoolDirectory: join(directory, 'spool'),
    log,
    hub,
    native,
    onOutput: () => undefined,
  });
  pump.start();
  const writer = spawn('sh', [
    '-c',
    `head -c ${BYTES} /dev/zero | tr '\\0' 'x' > "$1"`,
    'sh',
    fifoPath,
  ]);
  await once(writer, 'exit');
  closeSync(keeper);
  await pump.finished;
  await log.close();

  expect(received).toBe(BYTES);
  expect(mostAtOnce).toBeLessThanOrEqual(64 * 1024);
  // A last line without a newline stays without one.
  expect((await loggedText()).length).toBe(BYTES);
});

test('a client that went away does not hold up the container', async () => {
  const keeper = openSync(fifoPath, constants.O_RDWR | constants.O_NONBLOCK);
  const log = new JsonFile(join(directory, 'json.log'), join(directory, 'checkpoint.json'));
  const hub = new OutputHub();
  const stuck: OutputSink = {
    wants: { stdout: true, stderr: true },
    write: () => {
      setImmediate(() => hub.delete(stuck));
      return false;
    },
    end: () => undefined,
  };
  hub.add(stuck);
  const options = { stream: 'stdout', fifoPath, log, hub, native } as const;
  const pump = new OutputPump({
    ...options,
    spoolDirectory: join(directory, 'spool'),
    onOutput: () => undefined,
  });
  pump.start();
  const writer = spawn('sh', ['-c', 'seq 50000 > "$1"', 'sh', fifoPath]);
  await once(writer, 'exit');
  closeSync(keeper);
  await pump.finished;
  await log.close();

  expect((await loggedText()).endsWith('49999\n50000\n')).toBe(true);
});
