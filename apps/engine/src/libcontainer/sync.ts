/**
 * The line between runc and init: one byte says "I am ready", its end says "I have failed".
 *
 *   runc                          init
 *   socketpair
 *   clone3  ───────────────────▶  (born with both ends)
 *   close init's end              keep own end as descriptor 60
 *   read …                        … everything else …
 *           ◀───────── "0" ─────  ready
 *   exit 0                        wait at exec.fifo
 *
 * socketpair(2). Upstream: runc libcontainer/sync.go.
 */
import { type Compilation, FD, SLOT } from './compilation.ts';
import {
  AF_UNIX,
  CLOSE_RANGE_CLOEXEC,
  openFlags,
  PR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from './plan/constants.ts';
import { flags, number, slot, slotPair, struct } from './plan/stage-builder.ts';

export const makeSyncLine = (c: Compilation): void => {
  c.parent.call(
    'socketpair',
    [
      number(AF_UNIX, 'AF_UNIX'),
      number(SOCK_STREAM | SOCK_CLOEXEC, 'SOCK_STREAM|SOCK_CLOEXEC'),
      number(0),
      slotPair(SLOT.syncRunc, SLOT.syncInit),
    ],
    {
      title: 'a line between runc and the process that it will clone',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:socketpair(2)',
      purpose: 'sync',
    },
  );
};

/** Precondition: after clone3. */
export const letGoOfInitsEnd = (c: Compilation): void =>
  c.parent.call('close', [slot(SLOT.syncInit)], {
    title: "let go of init's end, so that init's death ends the line",
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:socketpair(2)',
    purpose: 'sync',
  });

/** Postcondition: init is parked, or this step has failed because init died. */
export const waitForInit = (c: Compilation): void => {
  c.parent.call(
    'read',
    [slot(SLOT.syncRunc), struct({ bytes: new Uint8Array(8) }, '"0"'), number(1)],
    {
      title: 'wait until init has furnished its world',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:read(2)',
      expect: 1,
      purpose: 'init',
    },
  );
};

/** First steps of init: nobody looks into it, out of the caller's session, its descriptors in order. */
export const settleInit = (c: Compilation): void => {
  const { O_CLOEXEC } = openFlags(c.facts.architecture);
  // In a joined pid namespace others can name this process while it still holds the host's descriptors (CVE-2016-9962).
  c.init.call('prctl', [number(PR.PR_SET_DUMPABLE, 'PR_SET_DUMPABLE'), number(0)], {
    title: 'nobody may trace it or open what it holds, until it runs its program',
    object: 'process',
    source: __SOURCE__,
    reference: 'man:prctl(2)',
    purpose: 'dumpable',
  });
  c.init.call('dup3', [slot(SLOT.syncInit), number(FD.syncInit), flags({ O_CLOEXEC }, O_CLOEXEC)], {
    title: 'keep the line to runc where the great closing does not reach',
    object: 'sync',
    source: __SOURCE__,
    reference: 'man:dup(2)',
    resultSlot: SLOT.syncInit,
    purpose: 'sync',
  });
  c.init.call(
    'close_range',
    [number(3), number(0xffff_ffff, '~0'), number(CLOSE_RANGE_CLOEXEC, 'CLOSE_RANGE_CLOEXEC')],
    {
      title: "the container's program shall inherit only 0, 1 and 2",
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:close_range(2)',
      purpose: 'stdio',
    },
  );
  c.init.call('setsid', [], {
    title: 'leave the session of whoever called: a session of its own',
    object: 'process',
    source: __SOURCE__,
    reference: 'man:setsid(2)',
    purpose: 'session',
  });
};

export const tellReady = (c: Compilation): void => {
  c.init.call(
    'write',
    [slot(SLOT.syncInit), struct({ bytes: new TextEncoder().encode('0') }, '"0"'), number(1)],
    {
      title: 'tell runc: ready, it may leave',
      object: 'sync',
      source: __SOURCE__,
      reference: 'man:write(2)',
      expect: 1,
      purpose: 'sync',
    },
  );
};
