/** An engine leaves the cgroup that it was given for its containers, as Docker does: whoever gave it takes it away. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** In each hierarchy; what is not empty is somebody's yet, and stays. cgroups(7) */
export function removeCgroupParent(cgroupParent: string): void {
  for (const hierarchy of ['', ...readdirSync(MOUNT)]) {
    const folder = join(MOUNT, hierarchy, cgroupParent);
    if (existsSync(folder)) removeEmpty(folder);
  }
}

function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
  }
}
