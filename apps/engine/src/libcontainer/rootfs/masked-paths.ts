/**
 * Parts of /proc and /sys that are not divided by namespaces: hidden, or readable only.
 * OCI config-linux.md#masked-paths, #readonly-paths. Upstream: runc libcontainer/rootfs_linux.go.
 */
import type { Compilation } from '../compilation.ts';
import { MS } from '../plan/constants.ts';
import { ERRNO } from '../plan/errno.ts';
import { flags, NULL, text } from '../plan/stage-builder.ts';
import { insideRoot } from './in-root.ts';
import type { ParsedMount } from './mounts.ts';

/** Precondition: after pivot_root, so that paths and links cannot leave the container. */
export const makePathsReadOnly = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  for (const listed of c.linux.readonlyPaths ?? []) {
    const path = `/${insideRoot(listed)}`;
    const words = {
      object: 'mount',
      reference: 'OCI config-linux.md#readonly-paths',
      // What this kernel does not have needs no protection.
      ignore: [ERRNO.ENOENT],
      purpose: 'readonly path',
      attributes: { 'engineroom.mount.target': path },
    } as const;
    c.init.call('mount', [text(path), text(path), NULL, flags(MS, MS.MS_BIND | MS.MS_REC), NULL], {
      ...words,
      title: `${path} becomes a mount of its own`,
      source: __SOURCE__,
    });
    const bits = MS.MS_BIND | MS.MS_REMOUNT | MS.MS_RDONLY | inheritedFlags(path, mounts);
    c.init.call('mount', [NULL, text(path), NULL, flags(MS, bits), NULL], {
      ...words,
      title: `${path} becomes read-only`,
      source: __SOURCE__,
    });
  }
};

/** A remount replaces all flags: those of the mount that the path lies in must be said again. */
const inheritedFlags = (path: string, mounts: readonly ParsedMount[]): number => {
  const around = mounts
    .filter(({ destination }) => path === destination || path.startsWith(`${destination}/`))
    .reduce<ParsedMount | undefined>(
      (best, mount) => (best && best.destination.length > mount.destination.length ? best : mount),
      undefined,
    );
  return (around?.flags ?? 0) & (MS.MS_NOSUID | MS.MS_NODEV | MS.MS_NOEXEC | MS.MS_NOSYMFOLLOW);
};

export const maskPaths = (c: Compilation): void => {
  for (const listed of c.linux.maskedPaths ?? []) {
    const path = `/${insideRoot(listed)}`;
    const words = {
      object: 'mount',
      reference: 'OCI config-linux.md#masked-paths',
      purpose: 'masked path',
      attributes: { 'engineroom.mount.target': path },
    } as const;
    c.init.call('mount', [text('/dev/null'), text(path), NULL, flags(MS, MS.MS_BIND), NULL], {
      ...words,
      title: `hide ${path} behind /dev/null`,
      source: __SOURCE__,
      ignore: [ERRNO.ENOENT, ERRNO.ENOTDIR],
    });
    c.init.call(
      'mount',
      [text('tmpfs'), text(path), text('tmpfs'), flags(MS, MS.MS_RDONLY), NULL],
      {
        ...words,
        title: `${path} is a folder: hide it behind an empty one`,
        source: __SOURCE__,
        guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOTDIR },
      },
    );
  }
};
