/**
 * Sources of bind mounts that must be found before init becomes somebody who may not walk there any more.
 * open(2) O_PATH, user_namespaces(7). Upstream: runc libcontainer/nsenter/nsexec.c, container_linux.go (mount sources).
 */
import { type Compilation, FD, SLOT } from '../compilation.ts';
import { isInUserNamespace } from '../namespaces.ts';
import { openFlags } from '../plan/constants.ts';
import { AT_FDCWD, flags, number, slot, text } from '../plan/stage-builder.ts';
import type { ParsedMount } from './parse-mounts.ts';

/**
 * Root of a user namespace may not walk to every place of the host, but init still may, before it takes that identity.
 * Precondition: in the new mount namespace, for a mount of another cannot be bound.
 */
export const holdSources = (c: Compilation, mounts: readonly ParsedMount[]): void => {
  if (!isInUserNamespace(c)) return;
  const open = openFlags(c.facts.architecture);
  const words = { object: 'mount', source: __SOURCE__, purpose: 'mount source' } as const;
  mounts.forEach((mount, index) => {
    if (!mount.isBind || mount.idMap) return;
    c.init.call(
      'openat',
      [AT_FDCWD, text(mount.source), flags(open, open.O_PATH | open.O_CLOEXEC)],
      {
        ...words,
        title: `hold the host's ${mount.source} while it can be reached`,
        reference: 'man:open(2)',
        resultSlot: SLOT.target,
      },
    );
    c.init.call(
      'dup3',
      [
        slot(SLOT.target),
        number(FD.firstHeldSource + index),
        flags({ O_CLOEXEC: open.O_CLOEXEC }, open.O_CLOEXEC),
      ],
      { ...words, title: 'where its mount will look for it', reference: 'man:dup(2)' },
    );
  });
};
