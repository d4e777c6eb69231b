/**
 * Who is in the container's cgroup before the container is: limits and a kill of all would be meant for both.
 * cgroups(7). Upstream: runc libcontainer/factory_linux.go.
 */
import { cgroupFoldersBelow, pidsIn } from '../remove-cgroups.ts';

/** One hierarchy stands for all, as upstream: to ask every one would take too long. */
const countIn = (paths: Readonly<Record<string, string>>): number => {
  const name = Object.keys(paths).find((each) => each.split(',').includes('devices'));
  const path = paths[name ?? 'unified'];
  return path === undefined ? 0 : pidsIn(cgroupFoldersBelow(path)).length;
};

export const warnOfOccupants = (
  paths: Readonly<Record<string, string>>,
  warn: (message: string) => void,
): void => {
  const count = countIn(paths);
  if (count > 0) warn(`container's cgroup is not empty: ${count} process(es) found`);
};
