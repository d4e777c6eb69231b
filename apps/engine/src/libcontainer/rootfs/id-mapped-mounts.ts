/**
 * A mount that shows its files under other owners. Only root of the filesystem's own user namespace may set a map, so
 * runc copies the source as a mount without a place and maps it; init, born with that descriptor, only puts it in place.
 * open_tree(2) OPEN_TREE_CLONE, mount_setattr(2) MOUNT_ATTR_IDMAP, move_mount(2). Upstream: runc libcontainer/mount_linux.go.
 */
import { type Compilation, FD, SLOT } from '../compilation.ts';
import { AT, MOUNT_ATTR, MOVE_MOUNT, OPEN_TREE, MS, openFlags } from '../plan/constants.ts';
import { AT_FDCWD, flags, number, pack, slot, struct, text } from '../plan/stage-builder.ts';
import { idMapsOf, indexOfIdMap } from './id-maps.ts';
import { shownPlace } from './in-root.ts';
import { mountAttributes } from './mount-attributes.ts';
import type { ParsedMount } from './parse-mounts.ts';

const words = (mount: ParsedMount) =>
  ({
    object: 'mount',
    source: __SOURCE__,
    purpose: 'id-mapped mount',
    attributes: mountAttributes(mount),
  }) as const;

/** Precondition: runc still has all its power; the maps' namespaces are handed in from `first` on. */
export const mapSources = (c: Compilation, mounts: readonly ParsedMount[], first: number): void => {
  const maps = idMapsOf(c.spec);
  mounts.forEach((mount, index) => {
    if (mount.idMap)
      mapSource(c, mount, FD.firstHeldSource + index, first + indexOfIdMap(maps, mount.idMap));
  });
};

const mapSource = (c: Compilation, mount: ParsedMount, held: number, namespace: number): void => {
  const { O_CLOEXEC } = openFlags(c.facts.architecture);
  const tree = { ...OPEN_TREE, ...AT, O_CLOEXEC };
  const below = mount.flags & MS.MS_REC ? AT.AT_RECURSIVE : 0;
  c.parent.call(
    'open_tree',
    [AT_FDCWD, text(mount.source), flags(tree, OPEN_TREE.OPEN_TREE_CLONE | O_CLOEXEC | below)],
    {
      ...words(mount),
      title: `a copy of the host's mount ${mount.source}, without a place yet`,
      reference: 'man:open_tree(2)',
      resultSlot: SLOT.target,
    },
  );
  const attributes = pack([
    [8, MOUNT_ATTR.MOUNT_ATTR_IDMAP],
    [8, 0],
    [8, 0],
    [8, namespace],
  ]);
  c.parent.call(
    'mount_setattr',
    [
      slot(SLOT.target),
      text(''),
      flags(AT, AT.AT_EMPTY_PATH | (mount.isMappedBelow ? AT.AT_RECURSIVE : 0)),
      struct({ bytes: attributes }, `{attr_set=MOUNT_ATTR_IDMAP, userns_fd=${namespace}}`),
      number(attributes.length),
    ],
    {
      ...words(mount),
      title: 'its files belong to other users there, by the map',
      level: 'step',
      reference: 'man:mount_setattr(2)',
    },
  );
  c.parent.call('dup3', [slot(SLOT.target), number(held), flags({ O_CLOEXEC }, O_CLOEXEC)], {
    ...words(mount),
    title: 'where init will look for it',
    reference: 'man:dup(2)',
  });
};

/** Precondition: the slot `target` holds its place. */
export const placeMappedSource = (c: Compilation, mount: ParsedMount, held: number): void => {
  const where = `${shownPlace(mount.destination)}`;
  c.init.call(
    'move_mount',
    [
      number(held),
      text(''),
      slot(SLOT.target, `<${where}>`),
      text(''),
      flags(MOVE_MOUNT, MOVE_MOUNT.MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT.MOVE_MOUNT_T_EMPTY_PATH),
    ],
    {
      ...words(mount),
      title: `show the host's ${mount.source} as ${mount.destination}, under other owners`,
      reference: 'man:move_mount(2)',
    },
  );
  c.init.call('close', [number(held)], {
    ...words(mount),
    title: "let go of the copy's descriptor",
    reference: 'man:close(2)',
  });
};
