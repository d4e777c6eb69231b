/** What a tree takes on disk, hard links counted once. Upstream: containerd/continuity fs/du_unix.go. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from './snapshotter.ts';

/** st_blocks counts in these, whatever the filesystem's own block size is. stat(2). */
const BLOCK_BYTES = 512;

export const diskUsage = async (root: string): Promise<Usage> => {
  const seen = new Set<string>();
  let sizeBytes = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = [folder, ...(await readdir(folder)).map((name) => join(folder, name))];
    for (const path of entries) {
      const stat = await lstat(path);
      const inode = `${stat.dev}:${stat.ino}`;
      if (path !== folder && stat.isDirectory()) folders.push(path);
      else if (!seen.has(inode)) {
        seen.add(inode);
        sizeBytes += stat.blocks * BLOCK_BYTES;
      }
    }
  }
  return { sizeBytes, inodes: seen.size };
};
