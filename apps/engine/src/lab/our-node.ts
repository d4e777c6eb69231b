/**
 * The engine's programs begin with `env node`, and are to run on the Node that the lab runs on. That may be one of nvm's,
 * which is in no folder of the system, or newer than the one that is.
 */
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** `path` as a PATH in which `node` is ours, with nothing put in front where it is already. */
export const withOurNode = (path: string, ours = process.execPath): string => {
  const found = path
    .split(delimiter)
    .map((folder) => fileAt(join(folder, 'node')))
    .find((file) => file !== null);
  return found === fileAt(ours) ? path : `${dirname(ours)}${delimiter}${path}`;
};

const fileAt = (path: string): string | null => {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
};
