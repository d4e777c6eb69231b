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
import { type Compilation, SLOT } from './compilation.ts';
import { hasCreateHooks } from './hooks.ts';
import { slot } from './plan/stage-builder.ts';
import { hear, say } from './sync-words.ts';

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
