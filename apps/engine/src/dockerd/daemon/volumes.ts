/** `docker volume create|ls|inspect|rm|prune`. Upstream: moby daemon/volume/service/service.go. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { VolumeAnswer, VolumeCreateBody } from '../../protocol/docker-engine-api/volumes.ts';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import { checkDriver } from '../volumes/mount-points.ts';
import { ANONYMOUS_LABEL, LOCAL_DRIVER, type Volume } from '../volumes/volume-store.ts';
import type { Daemon } from './daemon.ts';
import { tellPrune } from './events.ts';
import { hasLabel, isYes, select, type FilterTests } from './filters.ts';

const answer = ({ name, createdAt, labels, mountpoint }: Volume): VolumeAnswer => ({
  CreatedAt: createdAt,
  Driver: LOCAL_DRIVER,
  Labels: Object.keys(labels).length > 0 ? labels : null,
  Mountpoint: mountpoint,
  Name: name,
  Options: null,
  Scope: 'local',
});

export const tellVolume = (
  daemon: Daemon,
  name: string,
  action: 'create' | 'destroy' | 'mount' | 'unmount',
  attributes: Readonly<Record<string, string>> = {},
): void =>
  daemon.events.emit({
    Type: 'volume',
    Action: action,
    Actor: { ID: name, Attributes: { ...attributes, driver: LOCAL_DRIVER } },
  });

const listTests = ({ volumes }: Daemon): FilterTests<Volume> => ({
  dangling: ({ name }, values) =>
    (volumes.usersOf(name).length === 0) === isYes('dangling', values),
  driver: (_, values) => values.includes(LOCAL_DRIVER),
  label: ({ labels }, values) => values.every((label) => hasLabel(labels, label)),
  name: ({ name }, values) => values.some((part) => name.includes(part)),
});

const PRUNE_TESTS: FilterTests<Volume> = {
  all: () => true,
  label: ({ labels }, values) => values.every((label) => hasLabel(labels, label)),
  'label!': ({ labels }, values) => !values.some((label) => hasLabel(labels, label)),
};

export const listVolumes = (daemon: Daemon, filters: Filters): VolumeAnswer[] =>
  select(daemon.volumes.list(), listTests(daemon), filters).map(answer);

export const inspectVolume = (daemon: Daemon, name: string): VolumeAnswer =>
  answer(daemon.volumes.find(name));

export const createVolume = async (
  daemon: Daemon,
  { Name, Driver, DriverOpts, Labels }: VolumeCreateBody,
): Promise<VolumeAnswer> => {
  if (Driver !== '' && Driver !== LOCAL_DRIVER) {
    throw new EngineError(
      'not_found',
      `create ${Name}: error looking up volume plugin ${Driver}: plugin "${Driver}" not found`,
    );
  }
  checkDriver(Driver, DriverOpts);
  const { volume, isNew } = await daemon.volumes.create({ name: Name, labels: Labels });
  if (isNew) tellVolume(daemon, volume.name, 'create');
  return answer(volume);
};

export const removeVolume = async (
  daemon: Daemon,
  name: string,
  { isForced }: { readonly isForced: boolean },
): Promise<void> => {
  try {
    await daemon.volumes.remove(name);
  } catch (error) {
    // `-f` means: it shall not be there afterwards.
    if (isForced && kindOf(error) === 'not_found') return;
    throw error;
  }
  tellVolume(daemon, name, 'destroy');
};

export const folderBytes = async (path: string): Promise<number> => {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return stats.size;
  const names = await readdir(path);
  const sizes = await Promise.all(names.map((name) => folderBytes(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
};

export const pruneVolumes = async (
  daemon: Daemon,
  filters: Filters,
  { takesNamed }: { readonly takesNamed: boolean },
): Promise<{ readonly VolumesDeleted: readonly string[]; readonly SpaceReclaimed: number }> => {
  const takesAll = takesNamed || ('all' in filters && isYes('all', filters['all'] ?? []));
  const unused = select(daemon.volumes.list(), PRUNE_TESTS, filters)
    .filter(({ name }) => daemon.volumes.usersOf(name).length === 0)
    .filter(({ labels }) => takesAll || ANONYMOUS_LABEL in labels);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { name, mountpoint } of unused) {
    const size = await folderBytes(mountpoint).catch(() => 0);
    try {
      await removeVolume(daemon, name, { isForced: false });
    } catch (error) {
      // A container took it in the meantime, or somebody else removed it.
      if (['conflict', 'not_found'].includes(kindOf(error))) continue;
      throw error;
    }
    deleted.push(name);
    reclaimed += size;
  }
  tellPrune(daemon, 'volume', reclaimed);
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
};
