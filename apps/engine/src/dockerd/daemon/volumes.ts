/** `docker volume create|ls|inspect|rm|prune`. Upstream: moby daemon/volume/service/service.go. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { VolumeAnswer, VolumeCreateBody } from '../../protocol/docker-engine-api/volumes.ts';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import { checkDriver } from '../volumes/mount-points.ts';
import { ANONYMOUS_LABEL, LOCAL_DRIVER, type Volume } from '../volumes/volume-store.ts';
import type { Daemon } from './daemon.ts';

const answer = ({ name, createdAt, labels, mountpoint }: Volume): VolumeAnswer => ({
  CreatedAt: createdAt,
  Driver: LOCAL_DRIVER,
  Labels: Object.keys(labels).length > 0 ? labels : null,
  Mountpoint: mountpoint,
  Name: name,
  Options: null,
  Scope: 'local',
});

export const tellVolume = (daemon: Daemon, name: string, action: 'create' | 'destroy'): void =>
  daemon.events.emit({
    Type: 'volume',
    Action: action,
    Actor: { ID: name, Attributes: { driver: LOCAL_DRIVER } },
  });

const hasLabel = ({ labels }: Volume, label: string): boolean => {
  const equals = label.indexOf('=');
  return equals < 0 ? label in labels : labels[label.slice(0, equals)] === label.slice(equals + 1);
};

const yes = (key: string, values: readonly string[]): boolean => {
  const [value = ''] = values;
  if (['1', 'true'].includes(value)) return true;
  if (['0', 'false'].includes(value)) return false;
  throw new EngineError('invalid_argument', `invalid filter '${key}=[${values.join(' ')}]'`);
};

type Test = (daemon: Daemon, volume: Volume, values: readonly string[]) => boolean;

const LIST_TESTS: Readonly<Record<string, Test>> = {
  dangling: ({ volumes }, { name }, values) =>
    (volumes.usersOf(name).length === 0) === yes('dangling', values),
  driver: (_, __, values) => values.includes(LOCAL_DRIVER),
  label: (_, volume, values) => values.every((label) => hasLabel(volume, label)),
  name: (_, { name }, values) => values.some((part) => name.includes(part)),
};

const PRUNE_TESTS: Readonly<Record<string, Test>> = {
  all: () => true,
  label: (_, volume, values) => values.every((label) => hasLabel(volume, label)),
  'label!': (_, volume, values) => !values.some((label) => hasLabel(volume, label)),
};

const select = (
  daemon: Daemon,
  tests: Readonly<Record<string, Test>>,
  filters: Filters,
): Volume[] => {
  for (const key of Object.keys(filters)) {
    if (!Object.hasOwn(tests, key)) {
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    }
  }
  return daemon.volumes
    .list()
    .filter((volume) =>
      Object.entries(filters).every(([key, values]) => tests[key]?.(daemon, volume, values)),
    );
};

export const listVolumes = (daemon: Daemon, filters: Filters): VolumeAnswer[] =>
  select(daemon, LIST_TESTS, filters).map(answer);

export const inspectVolume = (daemon: Daemon, name: string): VolumeAnswer =>
  answer(daemon.volumes.find(name));

export const createVolume = async (
  daemon: Daemon,
  { Name, Driver, DriverOpts, Labels }: VolumeCreateBody,
): Promise<VolumeAnswer> => {
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
  const takesAll = takesNamed || ('all' in filters && yes('all', filters['all'] ?? []));
  const unused = select(daemon, PRUNE_TESTS, filters)
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
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
};
