/**
 * `runc exec --cgroup [CONTROLLERS:]PATH`: a cgroup below the container's own, which must be there already.
 * cgroups(7). Upstream: runc exec.go (getSubCgroupPaths), libcontainer/container_linux.go (newSetnsProcess).
 */
import { posix } from 'node:path';
import { type Cgroup, hierarchyName } from './cgroups/paths.ts';
import { refuse } from './compilation.ts';

/** Controller → path below the container's cgroup; the key `` stands for all of them. */
export type SubCgroups = ReadonlyMap<string, string>;

export const parseSubCgroups = (words: readonly string[]): SubCgroups => {
  const paths = new Map<string, string>();
  for (const word of words) {
    const [first = '', path, ...more] = word.split(':');
    if (more.length > 0) refuse(`invalid --cgroup argument: ${word}`);
    if (path === undefined && words.length > 1)
      refuse(`invalid --cgroup argument: ${word} (missing <controller>: prefix)`);
    if (path === undefined) paths.set('', first);
    else for (const controller of first.split(',')) paths.set(controller, path);
  }
  return paths;
};

const below = (cgroup: Cgroup, path: string): Cgroup => {
  const inner = posix.join(cgroup.inner, path).replace(/(.)\/$/, '$1');
  if (inner !== cgroup.inner && !inner.startsWith(`${cgroup.inner}/`))
    refuse(`${path} is not a sub cgroup path`);
  return { ...cgroup, inner, path: posix.join(cgroup.hierarchy.mountPoint, inner) };
};

export const subCgroupsOf = (cgroups: readonly Cgroup[], paths: SubCgroups): readonly Cgroup[] => {
  const all = paths.get('');
  if (all !== undefined) return cgroups.map((cgroup) => below(cgroup, all));
  const namesOf = (cgroup: Cgroup): readonly string[] => [
    hierarchyName(cgroup.hierarchy),
    ...cgroup.hierarchy.controllers,
  ];
  const unknown = [...paths.keys()].find(
    (name) => !cgroups.some((cgroup) => namesOf(cgroup).includes(name)),
  );
  if (unknown !== undefined) refuse(`unknown controller ${unknown} in SubCgroupPaths`);
  return cgroups.map((cgroup) => {
    const path = namesOf(cgroup).flatMap((name) => paths.get(name) ?? [])[0];
    return path === undefined ? cgroup : below(cgroup, path);
  });
};
