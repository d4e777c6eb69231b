/**
 * The engine's programs begin with `env node`. They are to run on the Node that npm installed with them, which the tests
 * know and which still gets its security fixes, whatever the system has. Where npm has none for the machine, on the one
 * that the lab runs on: that may be one of nvm's, which is in no folder of the system.
 */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { engineRoot } from './paths.ts';

/** Absolute path. Nowhere but where npm puts it: require would look above the repository, where others may write. */
export const ourNode = (repository = join(engineRoot(), '../..')): string => {
  const installed = join(repository, `node_modules/node-linux-${process.arch}/bin/node`);
  return existsSync(installed) ? installed : process.execPath;
};

/** `path` as a PATH in which `node` is ours, with nothing put in front where it is already. */
export const withOurNode = (path: string, ours = ourNode()): string => {
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
