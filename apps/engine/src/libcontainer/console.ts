/**
 * A terminal of the container's own devpts: the master goes back to whoever called, the container gets the other end.
 * pty(7), ioctl_tty(2), unix(7) SCM_RIGHTS. Upstream: runc libcontainer/rootfs_linux.go, init_linux.go (setupConsole).
 */
import { type Compilation, SLOT } from './compilation.ts';
import { IOCTL, MS, openFlags, RESOLVE, SCM_RIGHTS, SOL_SOCKET } from './plan/constants.ts';
import { fdPath, flags, NULL, number, pack, slot, struct, text } from './plan/stage-builder.ts';
import { placeForFile, shownPlace } from './rootfs/in-root.ts';

export const wantsConsole = (c: Compilation): boolean => c.process.terminal === true;

/**
 * Precondition: devpts is mounted in the rootfs, pivot_root is still to come (or, for `exec`, was long ago).
 * Postcondition: 0, 1 and 2 are the terminal.
 */
export const setUpConsole = (c: Compilation, { isExec = false } = {}): void => {
  if (!wantsConsole(c)) return;
  const words = { object: 'stdio', reference: 'man:pty(7)', purpose: 'console' } as const;
  openMaster(c);
  c.init.call(
    'ioctl',
    [
      slot(SLOT.ptmx),
      number(IOCTL.TIOCSPTLCK, 'TIOCSPTLCK'),
      struct({ bytes: new Uint8Array(4) }, '[0]'),
    ],
    {
      ...words,
      title: 'unlock the other end of the terminal',
      source: __SOURCE__,
    },
  );
  const open = openFlags(c.facts.architecture);
  c.init.call(
    'ioctl',
    [
      slot(SLOT.ptmx),
      number(IOCTL.TIOCGPTPEER, 'TIOCGPTPEER'),
      flags(open, open.O_RDWR | open.O_NOCTTY | open.O_CLOEXEC),
    ],
    {
      ...words,
      title: 'open the other end, without asking any path',
      source: __SOURCE__,
      resultSlot: SLOT.pty,
    },
  );
  setWindowSize(c);
  if (!isExec) mountOnDevConsole(c);
  sendMaster(c);
  c.init.call('ioctl', [slot(SLOT.pty), number(IOCTL.TIOCSCTTY, 'TIOCSCTTY'), number(0)], {
    ...words,
    title: 'make it the controlling terminal: Ctrl-C becomes a signal',
    level: 'step',
    source: __SOURCE__,
  });
  for (const fd of [0, 1, 2]) {
    c.init.call('dup3', [slot(SLOT.pty), number(fd), number(0)], {
      ...words,
      title: `${['standard input', 'standard output', 'standard error'][fd] ?? fd} is the terminal`,
      source: __SOURCE__,
    });
  }
};

/** The terminal of the first process is also /dev/console. */
const mountOnDevConsole = (c: Compilation): void => {
  // A link of the image's could lay the terminal over a file of /proc that a later step writes to (CVE-2025-52881).
  placeForFile(c, '/dev/console', { noSymlinks: true, purpose: 'console' });
  c.init.call(
    'mount',
    [
      fdPath(SLOT.pty),
      fdPath(SLOT.target, shownPlace('/dev/console')),
      NULL,
      flags(MS, MS.MS_BIND),
      NULL,
    ],
    {
      object: 'stdio',
      reference: 'man:pty(7)',
      purpose: 'console',
      title: 'the terminal is also /dev/console',
      source: __SOURCE__,
    },
  );
};

const openMaster = (c: Compilation): void => {
  const open = openFlags(c.facts.architecture);
  const how = pack([
    [8, open.O_RDWR | open.O_NOCTTY | open.O_CLOEXEC],
    [8, 0],
    [8, RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS],
  ]);
  c.init.call(
    'openat2',
    [
      slot(SLOT.rootfs),
      text('dev/pts/ptmx'),
      struct({ bytes: how }, '{flags=O_RDWR|O_NOCTTY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}'),
      number(24),
    ],
    {
      title: "a new terminal of the container's own devpts",
      object: 'stdio',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:pty(7)',
      resultSlot: SLOT.ptmx,
      purpose: 'console',
    },
  );
};

const setWindowSize = (c: Compilation): void => {
  const size = c.process.consoleSize;
  if (!size) return;
  const winsize = pack([
    [2, Math.min(size.height, 0xffff)],
    [2, Math.min(size.width, 0xffff)],
    [2, 0],
    [2, 0],
  ]);
  c.init.call(
    'ioctl',
    [
      slot(SLOT.ptmx),
      number(IOCTL.TIOCSWINSZ, 'TIOCSWINSZ'),
      struct({ bytes: winsize }, `{ws_row=${size.height}, ws_col=${size.width}}`),
    ],
    {
      title: `the window has ${size.height} lines of ${size.width} characters`,
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:ioctl_tty(2)',
      purpose: 'console',
    },
  );
};

/** struct msghdr with one iovec and one control message that carries the descriptor. */
const sendMaster = (c: Compilation): void => {
  const data = new TextEncoder().encode('/dev/ptmx');
  const iovec = {
    bytes: pack([
      [8, 0],
      [8, data.length],
    ]),
    patches: [{ offset: 0, pointerTo: { bytes: data } }],
  };
  const control = {
    bytes: pack([
      [8, 20], // cmsg_len = CMSG_LEN(sizeof(int))
      [4, SOL_SOCKET],
      [4, SCM_RIGHTS],
      [4, 0],
      [4, 0],
    ]),
    patches: [{ offset: 16, slot: SLOT.ptmx }],
  };
  const message = {
    bytes: pack([
      [8, 0], // msg_name
      [8, 0], // msg_namelen
      [8, 0], // msg_iov
      [8, 1], // msg_iovlen
      [8, 0], // msg_control
      [8, control.bytes.length], // msg_controllen
      [8, 0], // msg_flags
    ]),
    patches: [
      { offset: 16, pointerTo: iovec },
      { offset: 32, pointerTo: control },
    ],
  };
  c.init.call(
    'sendmsg',
    [
      slot(SLOT.consoleSocket),
      struct(message, '{msg_iov="/dev/ptmx", msg_control={SCM_RIGHTS, [<pty master>]}}'),
      number(0),
    ],
    {
      title:
        "hand the master to the shim: what is written there appears on the container's standard input",
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:unix(7)',
      purpose: 'console',
    },
  );
};
