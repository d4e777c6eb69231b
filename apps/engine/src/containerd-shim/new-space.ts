/**
 * V8's space for new objects. It is large enough for the whole creation of a container, so that nothing is collected
 * while somebody waits for one; and there is a shim for each container, which sleeps nearly all of its time and should
 * not keep so much. So what was written to is given back once it is quiet. The sizes: bin/containerd-shim-engineroom-v2.
 * With Node 24 and later a shim stays larger by these megabytes: their V8 keeps such pages in a pool, which a thread that
 * a shim does not have would empty.
 */
import { getHeapSpaceStatistics } from 'node:v8';

const QUIET_MS = 1000;
/** V8 gives nothing back of what it believes to need again soon, which is decided by the last five seconds. */
const TRIES = 6;
/** Collecting costs about a millisecond of processor time. Who is asked for statistics each second does it now and then. */
const WORTH_BYTES = 1024 * 1024;

/**
 * Twice: each time V8 goes on in the other half and gives back the one that it leaves, so both halves are, in the end, as
 * if they had never been used, and it goes on in the same one as after the last call.
 */
export const emptyNewSpace = (): void => {
  globalThis.gc?.({ type: 'minor' });
  globalThis.gc?.({ type: 'minor' });
};

const isWorthIt = (): boolean =>
  getHeapSpaceStatistics().some(
    ({ space_name: name, physical_space_size: bytes }) =>
      name === 'new_space' && bytes > WORTH_BYTES,
  );

/** Call it whenever there is something to do. */
export const tidyWhenQuiet = (): (() => void) => {
  let tries = 0;
  const timer = setTimeout(() => {
    if (!isWorthIt()) return;
    emptyNewSpace();
    tries += 1;
    if (tries < TRIES) timer.refresh();
  }, QUIET_MS).unref();
  return () => {
    tries = 0;
    timer.refresh();
  };
};
