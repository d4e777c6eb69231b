/**
 * Removing a snapshot's folder. Most containers leave a handful of empty files, which have gone before another thread
 * would be at them; a large tree or a large file is removed there, so that nobody else waits.
 */
import { lstatSync, opendirSync, rmdirSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const SMALL_ENTRIES = 64;
const SMALL_BYTES = 1024 ** 2;

export const removeTree = async (path: string): Promise<void> => {
  try {
    if (removeSmall(path, { entries: SMALL_ENTRIES })) return;
  } catch {
    // Whatever it was, the other way meets it again and says so.
  }
  await rm(path, { recursive: true, force: true });
};

/** False when it is more than is left to do; part of it has gone then. */
const removeSmall = (folder: string, left: { entries: number }): boolean => {
  const open = opendirSync(folder);
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) {
      const path = join(folder, entry.name);
      left.entries -= 1;
      if (left.entries < 0) return false;
      // Not what the entry says: a container chooses its names, and one that is no text is read as another one, which may
      // be a link out of here. Asked by the name that we have, a link is a link.
      const found = lstatSync(path);
      if (found.isDirectory()) {
        if (!removeSmall(path, left)) return false;
      } else {
        if (found.size > SMALL_BYTES) return false;
        unlinkSync(path);
      }
    }
  } finally {
    open.closeSync();
  }
  rmdirSync(folder);
  return true;
};
