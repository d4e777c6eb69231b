/**
 * `--no-pivot`: where the host's root is the kernel's first one (an initramfs), pivot_root(2) is refused, and the
 * container's root is moved over `/` instead. The host's tree stays below it, out of sight.
 *
 * The kernel lets a process mount a new /proc when its mount namespace already has a whole one; the host's would count,
 * and give a container with a user namespace of its own an unmasked /proc. So the host's whole ones go first.
 * mount(2) MS_MOVE, chroot(2), mount_namespaces(7). Upstream: runc libcontainer/rootfs_linux.go (msMoveRoot).
 */
import { type Compilation, SLOT } from '../compilation.ts';
import { unescapeOctal } from '../host-facts.ts';
import { MNT, MS } from '../plan/constants.ts';
import { ERRNO } from '../plan/errno.ts';
import { flags, NULL, slot, text } from '../plan/stage-builder.ts';

/** proc_pid_mountinfo(5): where the whole of a proc or sysfs is mounted, outside of the rootfs. */
const wholePseudoMounts = (c: Compilation): readonly string[] =>
  (c.facts.files.read('/proc/self/mountinfo') ?? '').split('\n').flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , , root = '', escaped = ''] = mount.split(' ');
    const point = unescapeOctal(escaped);
    const isPseudo = ['proc', 'sysfs'].includes(filesystem.split(' ')[0] ?? '');
    const isInside = point === c.rootfs || point.startsWith(`${c.rootfs}/`);
    return isPseudo && root === '/' && !isInside ? [point] : [];
  });

const words = { object: 'root', source: __SOURCE__, purpose: 'pivot_root' } as const;

const uncover = (c: Compilation, point: string): void => {
  // What lay in an earlier one went with it.
  const gone = [ERRNO.ENOENT, ERRNO.EINVAL, ERRNO.ENOTDIR];
  c.init.call('mount', [NULL, text(point), NULL, flags(MS, MS.MS_SLAVE | MS.MS_REC), NULL], {
    ...words,
    title: `what happens to ${point} here must not happen on the host`,
    reference: 'man:mount_namespaces(7)',
    ignore: gone,
  });
  c.init.call('umount2', [text(point), flags(MNT, MNT.MNT_DETACH)], {
    ...words,
    title: `the host's whole ${point} goes, so that it permits no other`,
    reference: 'man:umount(2)',
    ignore: gone,
  });
  c.init.call('mount', [text('tmpfs'), text(point), text('tmpfs'), flags(MS, 0), NULL], {
    ...words,
    title: `${point} is held fast: cover it`,
    reference: 'man:mount(2)',
    guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.EINVAL },
    ignore: [ERRNO.ENOENT, ERRNO.ENOTDIR],
  });
};

/** Precondition: nothing of the host's /proc is needed by path any more. Postcondition: `/` is the container's. */
export const moveRoot = (c: Compilation): void => {
  for (const point of wholePseudoMounts(c)) uncover(c, point);
  c.init.call('fchdir', [slot(SLOT.rootfs)], {
    ...words,
    title: 'stand in the new root',
    reference: 'man:chdir(2)',
  });
  c.init.call('mount', [text('.'), text('/'), NULL, flags(MS, MS.MS_MOVE), NULL], {
    ...words,
    title: "the container's root moves over the host's",
    level: 'step',
    reference: 'man:mount(2)',
  });
  c.init.call('chroot', [text('.')], {
    ...words,
    title: "the image's files become /; the host's tree stays below, out of sight",
    level: 'step',
    reference: 'man:chroot(2)',
  });
};
