/**
 * V8's space for new objects. It is large enough for the whole creation of a container, so that nothing is collected
 * while somebody waits for one; and there is a shim for each container, which sleeps nearly all of its time and should
 * not keep so much. So what was written to is given back once it is quiet. The sizes: bin/containerd-shim-engineroom-v2.
 */
import { getHeapSpaceStatistics } from 'node:v8';

const QUIET_MS = 1000;
/** Collecting costs about a millisecond of processor time. Who is asked for statistics each second does it now and then. */
const WORTH_BYTES = 1024 * 1024;

/** Where size is what matters (`--optimize-for-size`), V8 leaves to the kernel whichever half is not in use. */
export const emptyNewSpace = (): void => globalThis.gc?.({ type: 'minor' });

const usedBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_used_size ??
  0;

/** Call it whenever there is something to do. */
export const tidyWhenQuiet = (): (() => void) => {
  const timer = setTimeout(() => {
    if (usedBytes() > WORTH_BYTES) emptyNewSpace();
  }, QUIET_MS).unref();
  return () => void timer.refresh();
};
