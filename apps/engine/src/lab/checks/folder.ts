/** Looks into a folder that somebody else fills: step by step and never through a link, which would lead out of it. */
import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** What is at the path inside of the folder; null when there is nothing, or a link or a file is in the way. */
export const lookInto = (folder: string, path: string): Stats | null => {
  let place = folder;
  let found: Stats | null = null;
  for (const name of path.split('/').filter((each) => each !== '')) {
    if (found && !found.isDirectory()) return null;
    place = join(place, name);
    try {
      found = lstatSync(place);
    } catch {
      return null;
    }
  }
  return found;
};

/** Two names of one folder show the same. stat(2) */
export const identityOf = ({ dev, ino }: Stats): string => `device ${dev}, inode ${ino}`;
