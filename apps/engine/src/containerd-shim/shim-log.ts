/**
 * The shim's log: lines in logrus' text form into the FIFO `log` of the bundle, which containerd reads.
 * When nobody reads them, lines are dropped; a log never holds up a container.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../protocol/errdefs.ts';

export interface ShimLog {
  warn(message: string, error?: unknown): void;
}

const quote = (text: string): string => (/^[\w./:-]+$/.test(text) ? text : JSON.stringify(text));

export const openShimLog = (bundle: string, fields: Readonly<Record<string, string>>): ShimLog => {
  let fd: number | undefined;
  try {
    // For reading as well: opening a FIFO for writing alone fails while containerd is away.
    fd = openSync(join(bundle, 'log'), constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    fd = undefined;
  }
  const tail = Object.entries(fields).map(([name, value]) => `${name}=${quote(value)}`);
  return {
    warn: (message, error) => {
      if (fd === undefined) return;
      const words = [
        `time=${quote(new Date().toISOString())}`,
        'level=warning',
        `msg=${quote(message)}`,
        ...(error === undefined ? [] : [`error=${quote(messageOf(error))}`]),
        ...tail,
      ];
      try {
        writeSync(fd, `${words.join(' ')}\n`);
      } catch {
        // Full, or gone.
      }
    },
  };
};
