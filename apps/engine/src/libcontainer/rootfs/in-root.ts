/**
 * Finding and making places inside the root filesystem, which is hostile: an image may hold a symbolic link
 * `proc → /etc`. The kernel itself resolves each path with the rootfs as `/`, so that no link leads out of it.
 * openat2(2) RESOLVE_IN_ROOT, path_resolution(7). Upstream: runc uses github.com/cyphar/filepath-securejoin.
 */
import { posix } from 'node:path';
import { type Compilation, SLOT } from '../compilation.ts';
import { normalPath } from '../normal-path.ts';
import { ERRNO } from '../plan/errno.ts';
import { flagNames, openFlags, RESOLVE } from '../plan/constants.ts';
import { number, pack, slot, struct, text, type ShownArgument } from '../plan/stage-builder.ts';
import type { Slot } from '../plan/step.ts';

/** `/a/../b/` → `b`: how the path is handed to openat2, relative to the rootfs. */
export const insideRoot = (path: string): string => normalPath(path).slice(1) || '.';

/** How a reader of the trace sees a place in the rootfs. */
export const shownPlace = (path: string): string => `rootfs/${insideRoot(path)}`;

interface OpenOptions {
  readonly into?: Slot;
  /** Refuse every symbolic link on the way: for proc and sys, which later steps rely on. */
  readonly noSymlinks?: boolean;
  readonly purpose?: string;
}

/** The handful of ways in which the steps below open a place: the kernel only reads them, so that steps may share one. */
const hows = new Map<string, ShownArgument>();

const openHow = (
  c: Compilation,
  openFlagBits: number,
  mode: number,
  noSymlinks: boolean,
): ShownArgument => {
  const resolve =
    RESOLVE.RESOLVE_IN_ROOT |
    RESOLVE.RESOLVE_NO_MAGICLINKS |
    (noSymlinks ? RESOLVE.RESOLVE_NO_SYMLINKS : 0);
  const key = `${c.facts.architecture} ${openFlagBits} ${mode} ${resolve}`;
  const known = hows.get(key);
  if (known) return known;
  const table = openFlags(c.facts.architecture);
  const how = struct(
    {
      bytes: pack([
        [8, openFlagBits],
        [8, mode],
        [8, resolve],
      ]),
    },
    `{flags=${flagNames(table, openFlagBits)}, resolve=${flagNames(RESOLVE, resolve)}}`,
  );
  hows.set(key, how);
  return how;
};

/** Opens an existing place as a mere handle (O_PATH). */
export const openPlace = (c: Compilation, path: string, options: OpenOptions = {}): void => {
  const { O_PATH, O_CLOEXEC } = openFlags(c.facts.architecture);
  c.init.call(
    'openat2',
    [
      slot(SLOT.rootfs),
      text(insideRoot(path)),
      openHow(c, O_PATH | O_CLOEXEC, 0, options.noSymlinks ?? false),
      number(24),
    ],
    {
      title: `find ${path} in the container's root, never outside of it`,
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:openat2(2)',
      resultSlot: options.into ?? SLOT.target,
      purpose: options.purpose ?? 'mount target',
    },
  );
};

/**
 * Makes the folder and all above it that are missing. Each is made inside of its parent as the kernel resolves that,
 * so a link on the way leads to a place in the container.
 */
export const makeFolder = (
  c: Compilation,
  path: string,
  options: { readonly purpose?: string } = {},
): void => {
  const inside = insideRoot(path);
  if (inside === '.') return;
  const parts = inside.split('/');
  parts.forEach((name, depth) => {
    const above = parts.slice(0, depth).join('/');
    const into = depth === 0 ? SLOT.rootfs : SLOT.folder;
    if (depth > 0) openPlace(c, above, { into: SLOT.folder, ...options });
    c.init.call('mkdirat', [slot(into), text(name), number(0o755, '0755')], {
      title: `make the folder /${parts.slice(0, depth + 1).join('/')} unless it is there`,
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:mkdir(2)',
      ignore: [ERRNO.EEXIST],
      purpose: options.purpose ?? 'mount target',
    });
  });
};

/** Postcondition: the slot `target` holds the folder. */
export const placeForFolder = (c: Compilation, path: string, options: OpenOptions = {}): void => {
  makeFolder(c, path, options);
  openPlace(c, path, options);
};

/** Postcondition: the slot `target` holds the file, an empty new one where none was. */
export const placeForFile = (c: Compilation, path: string, options: OpenOptions = {}): void => {
  const { O_PATH, O_CLOEXEC, O_CREAT, O_EXCL } = openFlags(c.facts.architecture);
  const above = posix.dirname(`/${insideRoot(path)}`);
  makeFolder(c, above, options);
  const into = options.into ?? SLOT.target;
  const words = { object: 'mount', reference: 'man:openat2(2)', resultSlot: into } as const;
  c.init.call(
    'openat2',
    [
      slot(SLOT.rootfs),
      text(insideRoot(path)),
      openHow(c, O_PATH | O_CLOEXEC, 0, options.noSymlinks ?? false),
      number(24),
    ],
    {
      ...words,
      title: `find the file ${path} in the container's root`,
      source: __SOURCE__,
      ignore: [ERRNO.ENOENT],
      purpose: options.purpose ?? 'mount target',
    },
  );
  c.init.call(
    'openat2',
    [
      slot(SLOT.rootfs),
      text(insideRoot(path)),
      openHow(c, O_CREAT | O_EXCL | O_CLOEXEC, 0o755, options.noSymlinks ?? false),
      number(24),
    ],
    {
      ...words,
      title: `make an empty file ${path} to mount on`,
      source: __SOURCE__,
      guard: { kind: 'ifPreviousFailedWith', errno: ERRNO.ENOENT },
      purpose: options.purpose ?? 'mount target',
    },
  );
};
