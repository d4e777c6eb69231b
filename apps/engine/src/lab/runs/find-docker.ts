/** Which Docker client "Send Request" starts: the official one where it is installed, else our own small one. */
import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { binary } from '../paths.ts';

const realPath = (path: string): string | null => {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch {
    return null;
  }
};

export const findDocker = (searchPath = process.env['PATH'] ?? ''): string => {
  const own = realPath(binary('docker'));
  const official = searchPath
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, 'docker'))
    .find((path) => {
      const real = realPath(path);
      return real !== null && real !== own;
    });
  return official ?? binary('docker');
};
