/**
 * 0, 1 and 2 come from the caller (pipes) or are the terminal; the container's user must be able to reopen them.
 * chown(2). Upstream: runc libcontainer/init_linux.go (fixStdioPermissions).
 */
import type { Compilation } from './compilation.ts';
import { wantsConsole } from './console.ts';
import { ERRNO } from './plan/errno.ts';
import { number } from './plan/stage-builder.ts';

const NAMES = ['standard input', 'standard output', 'standard error'] as const;

/** Precondition: init is still root. */
export const giveStdioToUser = (c: Compilation): void => {
  const { uid } = c.process.user;
  if (uid === 0) return;
  NAMES.forEach((name, fd) => {
    // All three are the same terminal.
    if (wantsConsole(c) ? fd > 0 : c.ownsStdio[fd] !== true) return;
    c.init.call('fchown', [number(fd), number(uid), number(-1)], {
      title: `${wantsConsole(c) ? 'the terminal' : name} belongs to user ${uid}: /dev/stdout can be opened again`,
      object: 'stdio',
      source: __SOURCE__,
      reference: 'man:chown(2)',
      ignore: [ERRNO.EINVAL, ERRNO.EPERM, ERRNO.EROFS],
      purpose: 'stdio',
    });
  });
};
