/**
 * Permissions of a folder of the image: a tmpfs that is mounted on it takes them over.
 * path_resolution(7), tmpfs(5). Upstream: runc libcontainer/rootfs_linux.go (createMountpoint).
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const LINKS_LIMIT = 40;

/**
 * Links are followed as if the rootfs were `/`. Null when there is no such folder. An image that changes meanwhile can
 * bring about a wrong answer, and no more: nothing is opened.
 */
export const imageModeOf = (rootfs: string, path: string): number | null => {
  const rest = path.split('/');
  let links = 0;
  let at: string[] = [];
  let mode: number | null = null;
  try {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = at.slice(0, -1);
        continue;
      }
      const place = join(rootfs, ...at, name);
      const stats = lstatSync(place);
      if (stats.isSymbolicLink()) {
        if ((links += 1) > LINKS_LIMIT) return null;
        const target = readlinkSync(place);
        if (target.startsWith('/')) at = [];
        rest.unshift(...target.split('/'));
      } else {
        at = [...at, name];
        mode = stats.isDirectory() ? stats.mode & 0o7777 : null;
      }
    }
  } catch {
    return null;
  }
  return mode;
};
