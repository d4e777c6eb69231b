/**
 * What a shim has to say about itself: the FIFO `log` in its bundle, copied to our stderr.
 * Opened for reading and writing, so that it is nobody's end of file when either side restarts. fifo(7).
 */
import { constants } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';

export interface FifoMaker {
  readonly mkfifo: (path: string, mode: number) => void;
  readonly open: (path: string, flags: number) => number;
}

/** Returns the function that stops reading. */
export const followShimLog = (bundle: Bundle, { mkfifo, open }: FifoMaker): (() => void) => {
  const path = join(bundle.path, 'log');
  mkfifo(path, 0o700);
  const stream = new Socket({
    fd: open(path, constants.O_RDWR | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
  stream.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  stream.on('error', () => stream.destroy());
  stream.unref();
  return () => stream.destroy();
};
