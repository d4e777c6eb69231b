/** Waits until somebody accepts connections on a unix socket, told by the kernel and not by a clock. inotify(7) */
import { watch } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';

export const canConnect = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });

/** Between bind(2), which makes the file, and listen(2) the kernel refuses and tells nobody when that ends. */
const REFUSED_RETRY_MS = 10;

/** Resolves true when it accepts; false when the signal says to give up. Precondition: the folder exists. */
export const socketReady = async (path: string, signal: AbortSignal): Promise<boolean> => {
  let wake: () => void = () => undefined;
  const watcher = watch(dirname(path), (_change, name) => {
    if (name === basename(path)) wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (await canConnect(path)) return true;
      const timer = setTimeout(() => wake(), REFUSED_RETRY_MS);
      await changed;
      clearTimeout(timer);
    }
    return false;
  } finally {
    watcher.close();
    signal.removeEventListener('abort', onAbort);
  }
};
