/** What this machine has for programs of the lab's own. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const isThere = (path: string, mode: number = constants.R_OK): boolean => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
};

export const tool = (name: string): string | null =>
  PATH.split(':')
    .map((folder) => join(folder, name))
    .find((path) => isThere(path, constants.X_OK)) ?? null;

export const missingOf = (names: readonly string[]): readonly string[] =>
  names.filter((name) => tool(name) === null);
