/**
 * Hooks come in the middle of `create`: init has furnished the container and stops, runc asks whoever has called it to
 * run them, and passes the answer on.
 *
 *   caller                      runc                       init
 *                               clone3 ──────────────────▶ namespaces, mounts
 *                               read …  ◀────────── "1" ── furnished, but not yet entered
 *   run the hooks ◀──── "1" ─── write
 *   write ─────────────"1" ───▶ read                       read …
 *                               write ───────────── "1" ─▶ pivot_root …
 *
 * Whoever fails closes its end. OCI runtime.md#lifecycle. Upstream: runc libcontainer/process_linux.go (procHooks).
 */
import { readSync, writeSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { type Compilation, SLOT } from './compilation.ts';
import { hasCreateHooks } from './hooks.ts';
import { slot } from './plan/stage-builder.ts';
import { hear, say } from './sync-words.ts';

const WORD = new TextEncoder().encode('1');

/** Precondition: init is born, and its end of the line is closed here. */
export const passHooksOn = (c: Compilation): void => {
  if (!hasCreateHooks(c.spec)) return;
  hear(c.parent, SLOT.syncRunc, 'wait until the hooks can see the container', 'init');
  say(c.parent, SLOT.hooks, 'ask the caller to run the hooks', 'hook');
  hear(c.parent, SLOT.hooks, 'wait for the hooks', 'hook');
  say(c.parent, SLOT.syncRunc, 'init may go on', 'init');
};

/** Precondition: everything is mounted, and the host's tree is still there. */
export const stopForHooks = (c: Compilation): void => {
  if (!hasCreateHooks(c.spec)) return;
  c.init.call('close', [slot(SLOT.syncRunc)], {
    title: "let go of runc's end, so that runc's death ends the line",
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:socketpair(2)',
    purpose: 'sync',
  });
  say(c.init, SLOT.syncInit, 'the container is furnished: hooks may look at it', 'sync');
  hear(c.init, SLOT.syncInit, 'wait for the hooks', 'sync');
};

export interface HookGate {
  /** What the helper gets: its end of the line, if there is one. */
  readonly extraFds: readonly number[];
  /** The helper has its copy: when it asks, `run` is called once. */
  serve(run: () => Promise<void>): void;
  /** Why a hook failed. */
  error(): unknown;
  close(): void;
}

/** The caller's end. */
export const openHookGate = (native: Native, isNeeded: boolean): HookGate => {
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
