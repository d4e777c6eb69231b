/**
 * Where the program starts. chdir(2), OCI config.md#process. Upstream: runc libcontainer/init_linux.go.
 */
import { type Compilation, refuse, SLOT } from './compilation.ts';
import { ERRNO } from './plan/errno.ts';
import { text } from './plan/stage-builder.ts';
import { makeFolder } from './rootfs/in-root.ts';

export const checkWorkingDirectory = (c: Compilation): void => {
  if (!c.process.cwd.startsWith('/')) refuse('Cwd must be an absolute path');
};

/** Made where missing, inside the rootfs, before pivot_root. */
export const makeWorkingDirectory = (c: Compilation): void =>
  makeFolder(c, c.process.cwd, { purpose: 'cwd' });

/**
 * Precondition: no descriptor leads to the host any more (a cwd of /proc/self/fd/7 would follow it: CVE-2024-21626).
 * Root may enter folders that the user may not, and the user some that root may not (NFS): both are tried.
 */
export const enterWorkingDirectory = (c: Compilation, as: 'root' | 'user'): void => {
  c.init.call('chdir', [text(c.process.cwd)], {
    title: `start in ${c.process.cwd}`,
    object: 'process',
    source: __SOURCE__,
    reference: 'man:chdir(2)',
    purpose: 'chdir',
    ...(as === 'root'
      ? { resultSlot: SLOT.cwd, ignore: [ERRNO.EACCES, ERRNO.EPERM] }
      : { guard: { kind: 'unlessFilled', slot: SLOT.cwd } as const }),
  });
};
