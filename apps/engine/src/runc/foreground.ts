/**
 * A process that was started in the foreground: its terminal is ours, signals for us are meant for it, and its exit code
 * will be ours, too. termios(3), signal(7). Upstream: runc signals.go, tty.go.
 */
import { createReadStream, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { once } from 'node:events';
import type { Native } from '../../../../native/native.ts';

interface Started {
  readonly pid: number;
  readonly pidfd: number;
  readonly ptyMaster: number | null;
}

/** Not those that are about us alone, cannot be caught, or tell of a mistake in this very process. */
const OURS = new Set(
  'SIGCHLD SIGPIPE SIGURG SIGKILL SIGSTOP SIGWINCH SIGSEGV SIGBUS SIGFPE SIGILL SIGABRT SIGIOT SIGTRAP SIGSYS SIGPROF SIGSTKFLT SIGUNUSED SIGINFO SIGLOST SIGPOLL'.split(
    ' ',
  ),
);
const FORWARDED = Object.keys(constants.signals).filter(
  (name): name is NodeJS.Signals => !OURS.has(name),
);

/** Resolves with the exit code, when all output has arrived. Takes the descriptors over. */
export const foreground = async (native: Native, started: Started): Promise<number> => {
  const { pid, pidfd, ptyMaster } = started;
  for (const name of FORWARDED)
    process.on(name, (_: string, number: number) => forward(native, pidfd, number));
  const terminal = ptyMaster === null ? null : new Terminal(native, ptyMaster);
  const code = await new Promise<number>((resolve) => {
    const stop = native.watchReadable(pidfd, () => {
      const status = native.reap(pid);
      if (!status) return;
      stop();
      resolve(status.code);
    });
  });
  await terminal?.end();
  return code;
};

const forward = (native: Native, pidfd: number, signal: number): void => {
  try {
    native.pidfdSendSignal(pidfd, signal);
  } catch {
    // It has just ended; its code is on its way.
    return;
  }
};

/** Our terminal lends itself to the container's: it passes every key on, and shows what comes back. */
class Terminal {
  readonly #output: Promise<unknown>;

  constructor(native: Native, master: number) {
    const resize = (): void => {
      const { rows, columns } = process.stdout;
      if (process.stdout.isTTY) native.setWindowSize(master, rows, columns);
    };
    resize();
    process.on('SIGWINCH', resize);
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on('data', (keys: Buffer) => writeSync(master, keys));
    const output = createReadStream('', { fd: master, autoClose: false });
    output.pipe(process.stdout, { end: false });
    // A terminal ends with EIO, when its last process has gone.
    this.#output = once(output, 'end').catch(() => undefined);
  }

  async end(): Promise<void> {
    await this.#output;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}
