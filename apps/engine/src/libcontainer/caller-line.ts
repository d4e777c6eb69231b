/**
 * The caller's end of a line on which runc or init asks, in the middle of its plan, for what only the caller can do: run
 * the hooks (hook-gate.ts), tell the seccomp agent (seccomp/agent.ts). One word asks, one word answers; whoever fails
 * closes its end.
 */
import { readSync, writeSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';

const WORD = new TextEncoder().encode('1');

export interface CallerLine {
  /** What the helper gets: its end of the line, if there is one. */
  readonly extraFds: readonly number[];
  /** The helper has its copy: when it asks, `run` is called once. */
  serve(run: () => Promise<void>): void;
  /** Why `run` failed. */
  error(): unknown;
  close(): void;
}

export const openCallerLine = (native: Native, isNeeded: boolean): CallerLine => {
  if (!isNeeded)
    return { extraFds: [], serve: () => undefined, error: () => null, close: () => undefined };
  const [ours, theirs] = native.socketpair();
  const open = new Set([ours, theirs]);
  let error: unknown = null;
  let stop = (): void => undefined;
  const close = (fd: number): void => {
    if (!open.delete(fd)) return;
    if (fd === ours) stop();
    native.close(fd);
  };
  const answer = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      if (open.has(ours)) writeSync(ours, WORD);
    } catch (reason) {
      error = reason;
    }
    close(ours);
  };
  return {
    extraFds: [theirs],
    serve: (run) => {
      close(theirs);
      stop = native.watchReadable(ours, () => {
        stop();
        stop = () => undefined;
        const asked = readSync(ours, new Uint8Array(1)) === 1;
        if (asked) void answer(run);
        else close(ours);
      });
    },
    error: () => error,
    close: () => [ours, theirs].forEach(close),
  };
};
