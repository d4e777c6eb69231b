/**
 * Parts of /proc and /sys that are not divided by namespaces: hidden, or readable only.
 * OCI config-linux.md#masked-paths, #readonly-paths. Upstream: runc libcontainer/rootfs_linux.go.
 */
import { type Compilation, SLOT } from '../compilation.ts';
import { flagNames, MS, openFlags, RESOLVE } from '../plan/constants.ts';
import { ERRNO } from '../plan/errno.ts';
import {
  AT_FDCWD,
  fdPath,
  flags,
  NULL,
  number,
  pack,
  slot,
  struct,
  text,
} from '../plan/stage-builder.ts';
import { insideRoot } from './in-root.ts';
import type { ParsedMount } from './parse-mounts.ts';

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

const holdDevNull = (c: Compilation): void => {
  const open = openFlags(c.facts.architecture);
  const bits = open.O_PATH | open.O_CLOEXEC;
  const resolve = RESOLVE.RESOLVE_NO_SYMLINKS | RESOLVE.RESOLVE_NO_MAGICLINKS;
  const how = pack([
    [8, bits],
    [8, 0],
    [8, resolve],
  ]);
  const shown = `{flags=${flagNames(open, bits)}, resolve=${flagNames(RESOLVE, resolve)}}`;
  c.init.call('openat2', [AT_FDCWD, text('/dev/null'), struct({ bytes: how }, shown), number(24)], {
    title: 'hold /dev/null itself, never what a link of that name leads to',
    object: 'mount',
    source: __SOURCE__,
    reference: 'man:openat2(2)',
    resultSlot: SLOT.target,
    purpose: 'masked path',
  });
};

export const maskPaths = (c: Compilation): void => {
  const listed = c.linux.maskedPaths ?? [];
  // The image's /dev may hold anything: a link there would put another file where nothing should be (CVE-2025-31133).
  if (listed.length > 0) holdDevNull(c);
  for (const each of listed) {
    const path = `/${insideRoot(each)}`;
    const words = {
      object: 'mount',
      reference: 'OCI config-linux.md#masked-paths',
      purpose: 'masked path',
      attributes: { 'engineroom.mount.target': path },
    } as const;
    const behindDevNull = (): void =>
      c.init.call(
        'mount',
        [fdPath(SLOT.target, '/dev/null'), text(path), NULL, flags(MS, MS.MS_BIND), NULL],
        {
          ...words,
          ...whenItIs('file'),
          title: `hide ${path} behind /dev/null`,
          source: __SOURCE__,
        },
      );
    const behindFolder = (): void =>
      c.init.call(
        'mount',
        [text('tmpfs'), text(path), text('tmpfs'), flags(MS, MS.MS_RDONLY), NULL],
        {
          ...words,
          ...whenItIs('folder'),
          title: `${path} is a folder: hide it behind an empty one`,
          source: __SOURCE__,
        },
      );
    // What it is in the container only the kernel can say; the host's /proc and /sys let guess, and a wrong guess costs
    // a mount that fails, with a wait for all processors.
    const first =
      /^\/(proc|sys)\//.test(path) && c.facts.files.isDirectory(path) ? 'folder' : 'file';
    const whenItIs = (what: 'folder' | 'file') =>
      what === first
        ? { ignore: [ERRNO.ENOENT, ERRNO.ENOTDIR] }
        : { guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOTDIR } as const };
    if (first === 'folder') {
      behindFolder();
      behindDevNull();
    } else {
      behindDevNull();
      behindFolder();
    }
  }
  if (listed.length > 0)
    c.init.call('close', [slot(SLOT.target)], {
      title: 'let go of /dev/null',
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:close(2)',
      purpose: 'masked path',
    });
};
