/** Where a container's output goes: a FIFO, a file, or a program that reads it. All of them are written to as pipes are. */
import { constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { Fifo } from './fifo.ts';
import { Pump } from './pump.ts';

export interface Output {
  /** What a pump writes into. */
  readonly writer: number;
  /** There is no more: whoever reads sees the end. */
  end(): void;
  /** Resolves when everything is where it should be, as far as that is ours to do. */
  readonly arrived: Promise<void>;
  /** Lets go of everything, also of what nobody has read. */
  close(): void;
}

export type OutputNative = Pick<
  Native,
  'open' | 'close' | 'pipe' | 'splice' | 'watchReadable' | 'watchWritable'
>;

/** Readers take it from there, whenever they like: it is out of our hands. */
export const fifoOutput = (native: OutputNative, path: string): Output => {
  const fifo = new Fifo(native, path);
  return {
    get writer() {
      return fifo.writer;
    },
    end: () => fifo.closeWriter(),
    arrived: Promise.resolve(),
    close: () => fifo.close(),
  };
};

const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;

/** splice(2) wants a pipe on one side, and a terminal is none: so there is a pipe in front of the file. */
export const fileOutput = (native: OutputNative, path: string): Output => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  // Not O_APPEND, which splice(2) refuses: nobody else writes here.
  const file = native.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o644);
  const [reader, writer] = native.pipe();
  const pump = new Pump(native, reader, file, statSync(path).size);
  const open = new Set([reader, writer, file]);
  const close = (fd: number): void => {
    if (open.delete(fd)) native.close(fd);
  };
  return {
    writer,
    end: () => close(writer),
    arrived: pump.finished,
    close: () => {
      pump.stop();
      for (const fd of [...open]) close(fd);
    },
  };
};
