/**
 * Which mounts show their files under other owners, and by which map: `uidMappings` and `gidMappings` of the mount, or
 * the option `idmap` (`ridmap`: with all below it), which means the container's own.
 * OCI config.md#mounts (uidMappings, gidMappings). Upstream: runc 1.2 libcontainer/specconv, configs/validate.
 */
import type { Linux, Mount, RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import { refuse } from '../compilation.ts';

export type Mappings = NonNullable<Linux['uidMappings']>;

export interface IdMap {
  readonly uids: Mappings;
  readonly gids: Mappings;
}

export const ID_MAP_OPTIONS = ['idmap', 'ridmap'];

export const isIdMapOption = (word: string): boolean => ID_MAP_OPTIONS.includes(word);

/** Null for a mount whose files keep their owners. */
export const idMapOf = (mount: Mount, linux: Linux | undefined | null): IdMap | null => {
  const [uids, gids] = [mount.uidMappings ?? [], mount.gidMappings ?? []];
  if ((uids.length === 0) !== (gids.length === 0))
    refuse(`the mount on ${mount.destination} needs both uidMappings and gidMappings, or neither`);
  if (uids.length > 0) return { uids, gids };
  if (!(mount.options ?? []).some(isIdMapOption)) return null;
  const own = { uids: linux?.uidMappings ?? [], gids: linux?.gidMappings ?? [] };
  if (own.uids.length === 0 || own.gids.length === 0)
    refuse(`the mount on ${mount.destination} is to be id-mapped, and there are no mappings`);
  return own;
};

const keyOf = ({ uids, gids }: IdMap): string => JSON.stringify([uids, gids]);

/** Each map once: a namespace is made for each. */
export const idMapsOf = ({
  mounts,
  linux,
}: Pick<RuntimeSpec, 'mounts' | 'linux'>): readonly IdMap[] => {
  const maps = (mounts ?? []).flatMap((mount) => idMapOf(mount, linux) ?? []);
  return [...new Map(maps.map((map) => [keyOf(map), map])).values()];
};

export const indexOfIdMap = (maps: readonly IdMap[], map: IdMap): number =>
  maps.findIndex((other) => keyOf(other) === keyOf(map));
