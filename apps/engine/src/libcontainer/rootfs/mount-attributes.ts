/**
 * What a mount gets after it is there: flags that a bind mount takes only in a second call, propagation, and attributes
 * for it and all below it. mount(2), mount_setattr(2), mount_namespaces(7). Upstream: runc libcontainer/rootfs_linux.go.
 */
import { type Compilation, SLOT } from '../compilation.ts';
import { AT, flagNames, MOUNT_ATTR, MS } from '../plan/constants.ts';
import { fdPath, flags, NULL, number, pack, slot, struct, text } from '../plan/stage-builder.ts';
import { openPlace, shownPlace } from './in-root.ts';
import type { ParsedMount } from './parse-mounts.ts';

/** What every step about the mount says of it. */
export const mountAttributes = (mount: ParsedMount) => ({
  'engineroom.mount.target': mount.destination,
  'engineroom.mount.type': mount.type,
});

/** A bind mount takes its flags only in a second call. */
export const remountBind = (c: Compilation, mount: ParsedMount): void => {
  if ((mount.flags & ~(MS.MS_BIND | MS.MS_REC)) !== 0) {
    openPlace(c, mount.destination);
    const bits = (mount.flags & ~MS.MS_REC) | MS.MS_REMOUNT | MS.MS_BIND;
    c.init.call(
      'mount',
      [NULL, fdPath(SLOT.target, shownPlace(mount.destination)), NULL, flags(MS, bits), NULL],
      {
        title: `${mount.destination} becomes ${readingOf(mount.flags)}`,
        object: 'mount',
        source: __SOURCE__,
        reference: 'man:mount(2)',
        purpose: 'mount',
        attributes: mountAttributes(mount),
      },
    );
  }
};

/** Precondition: all other flags of the mount are set, since these have the last word. */
export const setRecursiveAttributes = (c: Compilation, mount: ParsedMount): void => {
  if (!mount.recursive) return;
  const { set, clear } = mount.recursive;
  openPlace(c, mount.destination);
  const attributes = pack([
    [8, set],
    [8, clear],
    [8, 0],
    [8, 0],
  ]);
  const shown = [
    ...(set ? [`attr_set=${flagNames(MOUNT_ATTR, set)}`] : []),
    ...(clear ? [`attr_clr=${flagNames(MOUNT_ATTR, clear)}`] : []),
  ].join(', ');
  c.init.call(
    'mount_setattr',
    [
      slot(SLOT.target),
      text(''),
      flags(AT, AT.AT_EMPTY_PATH | AT.AT_RECURSIVE),
      struct({ bytes: attributes }, `{${shown}}`),
      number(attributes.length),
    ],
    {
      title:
        set === MOUNT_ATTR.MOUNT_ATTR_RDONLY && clear === 0
          ? `${mount.destination} and all below it become read-only`
          : `${mount.destination} and all below it change: ${shown}`,
      object: 'mount',
      source: __SOURCE__,
      reference: 'man:mount_setattr(2)',
      purpose: 'mount',
      attributes: mountAttributes(mount),
    },
  );
};

const readingOf = (bits: number): string =>
  bits & MS.MS_RDONLY ? 'read-only' : flagNames(MS, bits & ~(MS.MS_BIND | MS.MS_REC));

export const setPropagation = (c: Compilation, mount: ParsedMount): void => {
  for (const kind of mount.propagation) {
    openPlace(c, mount.destination);
    c.init.call(
      'mount',
      [NULL, fdPath(SLOT.target, shownPlace(mount.destination)), NULL, flags(MS, kind), NULL],
      {
        title: `how mounts below ${mount.destination} travel: ${flagNames(MS, kind)}`,
        object: 'mount',
        source: __SOURCE__,
        reference: 'man:mount_namespaces(7)',
        purpose: 'mount',
        attributes: mountAttributes(mount),
      },
    );
  }
};
