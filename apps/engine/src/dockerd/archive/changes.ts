/**
 * What a container has changed in the file system of its image: read off the writable layer of the overlay, in which
 * a deletion is a character device 0:0. See the kernel's filesystems/overlayfs. Upstream: github.com/moby/go-archive
 * OverlayChanges.
 */
import { lstatSync, type Stats } from 'node:fs';
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
    const path = `/${entry.name}`;
    const below = inLowers(lowers, entry.name);
    const kind = kindOf(path, entry, below);
    if (kind === null) continue;
    for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent)) {
      if (!changes.has(parent)) changes.set(parent, CHANGE_KINDS.modified);
    }
    changes.set(path, kind);
  }
  return [...changes]
    .map(([Path, Kind]) => ({ Path, Kind }))
    .sort((left, right) => (left.Path < right.Path ? -1 : 1));
};

const kindOf = (path: string, { stats }: TreeEntry, below: Stats | undefined): number | null => {
  // A deletion of what was never in the image is left over from something that came and went.
  if (isDeletion(stats)) return below ? CHANGE_KINDS.deleted : null;
  if (!below) {
    const isEmpty = stats.isDirectory() || stats.size === 0;
    return MOUNT_PLACES.has(path) && isEmpty ? null : CHANGE_KINDS.added;
  }
  // A folder is there because of what is in it, and told with that, unless it has changed itself.
  const isSameFolder =
    stats.isDirectory() &&
    below.isDirectory() &&
    stats.mode === below.mode &&
    stats.uid === below.uid &&
    stats.gid === below.gid;
  return isSameFolder ? null : CHANGE_KINDS.modified;
};

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
