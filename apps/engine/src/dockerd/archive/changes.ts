/**
 * What a container has changed in the file system of its image: read off the writable layer of the overlay, in which
 * a deletion is a character device 0:0, or found by comparing two whole trees, where layers are copies.
 * See the kernel's filesystems/overlayfs. Upstream: github.com/moby/go-archive OverlayChanges, ChangesDirs.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { walkTree, type TreeEntry } from './walk-tree.ts';

/** The numbers of the API. */
export const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const;

export interface Change {
  readonly Path: string;
  readonly Kind: number;
}

/** Places for mounts: runc makes them in the layer, and in Docker they belong to no layer that is compared. */
const MOUNT_PLACES = new Set([
  '/dev',
  '/dev/console',
  '/dev/mqueue',
  '/dev/pts',
  '/dev/shm',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/proc',
  '/sys',
]);

const isDeletion = (stats: Stats): boolean => stats.isCharacterDevice() && stats.rdev === 0;

/** `lowers`: the folders of the image's layers, the uppermost first. */
export const layerChanges = (upper: string, lowers: readonly string[]): Change[] => {
  const changes = new Map<string, number>();
  for (const entry of walkTree(upper)) {
    if (entry.name === '') continue;
    const below = inLowers(lowers, entry.name);
    // A deletion of what was never in the image is left over from something that came and went.
    if (isDeletion(entry.stats)) note(changes, entry.name, below ? CHANGE_KINDS.deleted : null);
    else note(changes, entry.name, kindOf(entry, below));
  }
  return sorted(changes);
};

/** The same for two whole trees; without a `lower` everything was added. */
export const treeChanges = (upper: string, lower: string | undefined): Change[] => {
  const changes = new Map<string, number>();
  const lowers = lower === undefined ? [] : [lower];
  for (const entry of walkTree(upper)) {
    if (entry.name === '') continue;
    const below = inLowers(lowers, entry.name);
    if (below && lower !== undefined && isSame(entry, below, join(lower, entry.name))) continue;
    note(changes, entry.name, kindOf(entry, below));
  }
  const isGone = ({ name }: TreeEntry): boolean => name !== '' && !inLowers([upper], name);
  // What was below a folder that has gone is not told one by one.
  for (const entry of lower === undefined ? [] : walkTree(lower, (folder) => !isGone(folder)))
    if (isGone(entry)) note(changes, entry.name, CHANGE_KINDS.deleted);
  return sorted(changes);
};

/** A change, and the folders that lead to it. */
const note = (changes: Map<string, number>, name: string, kind: number | null): void => {
  if (kind === null) return;
  const path = `/${name}`;
  for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent)) {
    if (!changes.has(parent)) changes.set(parent, CHANGE_KINDS.modified);
  }
  changes.set(path, kind);
};

const sorted = (changes: ReadonlyMap<string, number>): Change[] =>
  [...changes]
    .map(([Path, Kind]) => ({ Path, Kind }))
    .sort((left, right) => (left.Path < right.Path ? -1 : 1));

const kindOf = ({ name, stats }: TreeEntry, below: Stats | undefined): number | null => {
  if (!below) {
    const isEmpty = stats.isDirectory() || stats.size === 0;
    return MOUNT_PLACES.has(`/${name}`) && isEmpty ? null : CHANGE_KINDS.added;
  }
  // A folder is there because of what is in it, and told with that, unless it has changed itself.
  const isSameFolder = stats.isDirectory() && below.isDirectory() && hasSameOwner(stats, below);
  return isSameFolder ? null : CHANGE_KINDS.modified;
};

const hasSameOwner = (left: Stats, right: Stats): boolean =>
  left.mode === right.mode && left.uid === right.uid && left.gid === right.gid;

/** A copy keeps the times, so what was written since has another one. */
const isSame = ({ stats, target }: TreeEntry, below: Stats, place: string): boolean =>
  hasSameOwner(stats, below) &&
  stats.rdev === below.rdev &&
  (stats.isDirectory() ||
    (stats.isSymbolicLink()
      ? target === readlinkSync(place)
      : stats.size === below.size && stats.mtimeMs === below.mtimeMs));

/** What the image has at this place. Only real folders lead there: a link of the image leads anywhere. */
const inLowers = (lowers: readonly string[], name: string): Stats | undefined => {
  const parts = name.split('/');
  for (const lower of lowers) {
    let found: Stats | undefined;
    for (let length = 1; length <= parts.length; length++) {
      found = lstatSync(join(lower, ...parts.slice(0, length)), { throwIfNoEntry: false });
      if (!found) break;
      if (isDeletion(found)) return undefined;
      if (length < parts.length && !found.isDirectory()) return undefined;
    }
    if (found) return found;
  }
  return undefined;
};
