/**
 * Which cgroup of which hierarchy the container gets: `cgroupsPath` below every hierarchy that is mounted.
 * cgroups(7), OCI config-linux.md#cgroups-path. Upstream: opencontainers/cgroups fs/paths.go.
 */
import { posix } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import type { RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import type { CgroupHierarchy, HostFacts } from '../host-facts.ts';
import { below, normalPath } from '../normal-path.ts';

export interface Cgroup {
  readonly hierarchy: CgroupHierarchy;
  /** Path on the host, e.g. /sys/fs/cgroup/memory/engine-room/4f2a… */
  readonly path: string;
  /** The same below the mount point: /engine-room/4f2a… */
  readonly inner: string;
}

/** `memory`, `name=systemd`, `unified`: what people call the hierarchy. */
export const hierarchyName = ({ version, controllers, name }: CgroupHierarchy): string =>
  version === 2 ? 'unified' : name === null ? controllers.join(',') : `name=${name}`;

/**
 * An absolute path counts from the root of each hierarchy, a relative one from the cgroup of runc itself; on version 2
 * from the one above it, since no cgroup may hold both processes and limited children.
 */
export const cgroupsOf = (
  facts: HostFacts,
  cgroupsPath: string | undefined,
  id: string,
): readonly Cgroup[] => {
  const wanted = cgroupsPath === undefined || cgroupsPath === '' ? id : cgroupsPath;
  if (/^[^/]*:[^/]*:[^/]*$/.test(wanted)) {
    throw new EngineError(
      'invalid_argument',
      `the systemd cgroup driver is not supported (cgroupsPath ${wanted})`,
    );
  }
  return facts.hierarchies.map((hierarchy) => {
    const normal = normalPath(wanted);
    const inner = wanted.startsWith('/') ? normal : below(normalPath(baseOf(hierarchy)), normal);
    if (inner === '/')
      throw new EngineError(
        'invalid_argument',
        `cgroupsPath ${wanted} names the root of all cgroups`,
      );
    return { hierarchy, inner, path: below(hierarchy.mountPoint, inner) };
  });
};

const baseOf = ({ version, ownPath }: CgroupHierarchy): string =>
  version === 2 ? posix.dirname(ownPath) : ownPath;

/** As the state file keeps them: `memory` → /sys/fs/cgroup/memory/engine-room/4f2a… */
export const cgroupPathsOf = ({
  facts,
  spec,
  id,
}: {
  readonly facts: HostFacts;
  readonly spec: RuntimeSpec;
  readonly id: string;
}): Readonly<Record<string, string>> =>
  Object.fromEntries(
    cgroupsOf(facts, spec.linux?.cgroupsPath, id).map(({ hierarchy, path }) => [
      hierarchyName(hierarchy),
      path,
    ]),
  );

/** The other way round: the cgroup of one hierarchy that a state file names. */
export const cgroupAt = (
  hierarchy: CgroupHierarchy,
  cgroupPaths: Readonly<Record<string, string>>,
): Cgroup | null => {
  const path = cgroupPaths[hierarchyName(hierarchy)];
  if (path === undefined) return null;
  return { hierarchy, path, inner: `/${posix.relative(hierarchy.mountPoint, path)}` };
};

/** The machine's arrangement decides which file limits what. */
export const isUnified = (cgroups: readonly Cgroup[]): boolean =>
  cgroups.some(({ hierarchy }) => hierarchy.version === 2) &&
  !cgroups.some(({ hierarchy }) => hierarchy.version === 1);

/** The one of version 2, alone or beside those of version 1: a process can be born in it. */
export const cgroupOfBirth = (cgroups: readonly Cgroup[]): Cgroup | undefined =>
  cgroups.find(({ hierarchy }) => hierarchy.version === 2);

/** The cgroup and all above it, from the top, without the mount point. */
export const levelsOf = ({ hierarchy, inner }: Cgroup): readonly string[] => {
  const levels: string[] = [];
  for (let end = inner.indexOf('/', 1); end > 0; end = inner.indexOf('/', end + 1))
    levels.push(below(hierarchy.mountPoint, inner.slice(0, end)));
  return [...levels, below(hierarchy.mountPoint, inner)];
};
