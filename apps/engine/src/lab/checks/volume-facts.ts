/** Facts about a volume: a folder of the host that dockerd keeps, and that a mount shows in containers. mount(2) */
import { lstatSync } from 'node:fs';
import type { FactName } from '../../protocol/lesson/facts.ts';
import type { Value } from '../../protocol/lesson/predicate.ts';
import { identityOf, lookInto } from './folder.ts';

export const volumeFact = (name: FactName, mountpoint: string, path: string): Value => {
  switch (name) {
    case 'volume.exists':
      return true;
    case 'volume.has':
      return lookInto(mountpoint, path) !== null;
    case 'volume.folder':
      try {
        return identityOf(lstatSync(mountpoint));
      } catch {
        return null;
      }
    default:
      return null;
  }
};

/** The folder that a process finds at a path, through its own root and its own mounts. */
export const folderAt = (pid: number, path: string): Value => {
  const found = lookInto(`/proc/${pid}/root`, path);
  return found?.isDirectory() === true ? identityOf(found) : null;
};
