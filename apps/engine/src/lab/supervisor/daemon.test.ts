import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { native } from '../../native/load.ts';
import { isAlive, processInfo } from '../process-info.ts';
import { Daemon, type DaemonExit, type DaemonSpec } from './daemon.ts';
import { writeRecord, type ProcessRecord } from './process-record.ts';
import { socketReady } from './socket-ready.ts';
import { watchExitWith } from './watch-exit.ts';

/** The smallest daemon: listens on its socket, and goes when asked (or does not). */
const PROGRAM = `
const [socket, pidfile, mode] = process.argv.slice(2);
require('fs').writeFileSync(pidfile, String(process.pid));
if (mode === 'broken') { console.error('cannot start: the reason'); process.exit(1); }
const server = require('net').createServer();
require('fs').rmSync(socket, { force: true });
server.listen(socket);
process.on('SIGTERM', () => { console.error('terminated'); process.exit(0); });
`;

let folder: string;
let daemons: Daemon[];
let log: string[];
let wake: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-daemon-'));
  writeFileSync(join(folder, 'program.cjs'), PROGRAM);
  daemons = [];
  log = [];
  wake = () => undefined;
});

afterEach(async () => {
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  rmSync(folder, { recursive: true });
});

const specOf = (mode: string): DaemonSpec => ({
  actor: 'containerd',
  file: process.execPath,
  argv: [join(folder, 'program.cjs'), join(folder, 'sock'), join(folder, 'pid'), mode],
  env: {},
  socketPath: join(folder, 'sock'),
  pidfile: join(folder, 'pid'),
  recordPath: join(folder, 'record.json'),
  logPath: join(folder, 'log'),
});

const aDaemon = (mode = 'good'): Daemon => {
  const note = (word: string): void => {
    log.push(word);
    wake();
  };
  const daemon = new Daemon(
    specOf(mode),
    {
      born: (_daemon, process) => note(`born ${process.pid}`),
      adopted: (_daemon, process) => note(`adopted ${process.pid}`),
      changed: ({ state }) => note(state),
      died: (_daemon: Daemon, _process: ProcessRecord, exit: DaemonExit) =>
        note(`died ${exit.signal ?? exit.code}`),
    },
    watchExitWith(native),
  );
  daemons.push(daemon);
  return daemon;
};

const until = (isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    wake = () => {
      if (isSo()) resolve();
    };
    wake();
  });

/** What a lab that died has left behind: a living daemon and the record of it. */
const anOrphan = async (): Promise<number> => {
  const { file, argv, socketPath, recordPath } = specOf('good');
  const child = spawn(file, [...argv], { detached: true, stdio: 'ignore' });
  await socketReady(socketPath, new AbortController().signal);
  const pid = child.pid ?? 0;
  writeRecord(recordPath, { pid, startTime: processInfo(pid)?.startTime ?? '' });
  return pid;
};

test('start resolves when the socket answers, and stop when the process is gone', async () => {
  const daemon = aDaemon();
  expect(await daemon.start()).toBe(true);
  const pid = daemon.pid ?? 0;
  expect(isAlive(pid)).toBe(true);

  await daemon.stop();

  expect(isAlive(pid)).toBe(false);
  expect(log).toEqual(['starting', `born ${pid}`, 'running', 'died 0', 'dead']);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toContain('terminated');
  expect(existsSync(join(folder, 'record.json'))).toBe(false);
});

test('it lives in a session of its own, so that a Ctrl-C in the terminal does not reach it', async () => {
  const daemon = aDaemon();
  await daemon.start();
  const pid = daemon.pid ?? 0;
  const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];

  expect(session).toBe(String(pid));
});

/** Kills it twice; how long the second next start then waits, as a multiple of the first. */
const secondPause = async (daemon: Daemon, beforeEachDeath: () => void): Promise<number> => {
  const pauses: number[] = [];
  const timers = vi.spyOn(globalThis, 'setTimeout');
  for (const deaths of [1, 2]) {
    beforeEachDeath();
    const pid = daemon.pid ?? 0;
    timers.mockClear();
    process.kill(pid, 'SIGKILL');
    await until(() => log.filter((word) => word === 'dead').length === deaths);
    // The pause begins in the same turn as the event.
    await Promise.resolve();
    pauses.push(timers.mock.calls.at(-1)?.[1] ?? 0);
    await until(() => log.filter((word) => word === 'running').length === deaths + 1);
  }
  timers.mockRestore();
  return (pauses[1] ?? 0) / (pauses[0] ?? 1);
};

test('each death doubles the pause before the next start, unless it was wanted', async () => {
  const daemon = aDaemon();
  await daemon.start();
  expect(await secondPause(daemon, () => undefined)).toBe(2);

  log.splice(0, log.length, 'running');
  expect(await secondPause(daemon, () => daemon.forgive())).toBe(1);
});

test('one that is killed comes back as another process', async () => {
  const daemon = aDaemon();
  await daemon.start();
  const first = daemon.pid ?? 0;

  process.kill(first, 'SIGKILL');
  await until(() => log.includes('died SIGKILL'));
  await until(() => log.filter((word) => word === 'running').length === 2);

  expect(daemon.pid).not.toBe(first);
  expect(daemon.state).toBe('running');
});

test('one that cannot start is tried again, later each time, and its last words can be read', async () => {
  const daemon = aDaemon('broken');
  expect(await daemon.start()).toBe(false);
  await until(() => log.filter((word) => word.startsWith('born')).length >= 3);

  expect(daemon.lastWords()).toBe('cannot start: the reason');
});

test('a second lab adopts the living process, and starts another when that dies', async () => {
  const pid = await anOrphan();

  const daemon = aDaemon();
  expect(await daemon.start()).toBe(true);
  expect(daemon.pid).toBe(pid);
  expect(log).toEqual(['starting', `adopted ${pid}`, 'running']);
  process.kill(pid, 'SIGKILL');
  await until(() => log.includes('died null'));
  await until(() => log.filter((word) => word === 'running').length === 2);

  expect(daemon.pid).not.toBe(pid);
});

test('a second lab can also stop what it adopted', async () => {
  const pid = await anOrphan();
  const daemon = aDaemon();
  await daemon.start();

  await daemon.stop();

  expect(isAlive(pid)).toBe(false);
});

test('without a record the pidfile will do, if the command line fits', async () => {
  const pid = await anOrphan();
  rmSync(join(folder, 'record.json'));

  const daemon = aDaemon();
  await daemon.start();

  expect(daemon.pid).toBe(pid);
});

test('a stranger that has the recorded pid by now is not adopted', async () => {
  const stranger = spawn('sleep', ['1000']);
  await once(stranger, 'spawn');
  const pid = stranger.pid ?? 0;
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ pid, startTime: '1' }));
  writeFileSync(join(folder, 'pid'), String(pid));

  const daemon = aDaemon();
  await daemon.start();
  expect(daemon.pid).not.toBe(pid);
  await daemon.stop();

  expect(processInfo(pid)?.state).not.toBe('Z');
  stranger.kill();
  await once(stranger, 'exit');
});
