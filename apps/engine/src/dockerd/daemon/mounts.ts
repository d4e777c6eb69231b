/**
 * The mounts of one container through its life: chosen and made at its creation, given back with its removal.
 * Upstream: moby daemon/volumes.go, daemon/create_unix.go.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { MountAnswer } from '../../protocol/docker-engine-api/volumes.ts';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import { withRootView } from '../images/root-view.ts';
import { copyUpVolume } from '../volumes/copy-up.ts';
import {
  checkDriver,
  parseMountPoints,
  parseVolumesFrom,
  type MountPoint,
} from '../volumes/mount-points.ts';
import { LOCAL_DRIVER } from '../volumes/volume-store.ts';
import type { Daemon } from './daemon.ts';
import { removeVolume, tellVolume } from './volumes.ts';

const lender = (daemon: Daemon, reference: string): Container => {
  try {
    return daemon.store.find(reference);
  } catch (error) {
    // Not `not_found`: the client would take it for a missing image and pull.
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
};

/** What shall be mounted; nothing is made yet. */
export const mountPointsOf = (
  daemon: Daemon,
  config: ContainerConfig,
  host: HostConfig,
): readonly MountPoint[] => {
  const points = parseMountPoints({
    binds: host.Binds,
    mounts: host.Mounts,
    volumes: Object.keys(config.Volumes),
    tmpfs: Object.keys(host.Tmpfs),
    inherited: host.VolumesFrom.flatMap((spec) => {
      const { container, isReadOnly } = parseVolumesFrom(spec);
      return lender(daemon, container).mountPoints.map((point) => ({
        ...point,
        isWritable: point.isWritable && !isReadOnly,
        copiesUp: false,
      }));
    }),
  });
  if (points.some(({ type }) => type === 'volume')) checkDriver(host.VolumeDriver, {});
  return points;
};

/** Finds or makes the volumes. Leaves none behind when it fails. */
export const prepareVolumes = async (
  daemon: Daemon,
  containerId: string,
  points: readonly MountPoint[],
): Promise<readonly MountPoint[]> => {
  const mountPoints: MountPoint[] = [];
  try {
    for (const point of points) {
      if (point.type !== 'volume') {
        mountPoints.push(point);
        continue;
      }
      const { volume, isNew } = await daemon.volumes.create(point, containerId);
      mountPoints.push({ ...point, name: volume.name, source: volume.mountpoint });
      if (isNew) tellVolume(daemon, volume.name, 'create');
    }
  } catch (error) {
    await releaseVolumes(daemon, containerId, { mountPoints, removesAnonymous: true });
    throw error;
  }
  return mountPoints;
};

/** Precondition: the container's layer is prepared, and nothing runs in it. */
export const copyUp = async (
  daemon: Daemon,
  containerId: string,
  points: readonly MountPoint[],
): Promise<void> => {
  const fresh = points.filter(({ copiesUp }) => copiesUp);
  if (fresh.length === 0) return;
  const mounts = await daemon.images.snapshotMounts(containerId);
  const target = join(daemon.options.execRoot, 'views', `copy-${containerId}`);
  await withRootView(daemon.native, mounts, target, async (root) => {
    for (const { name, source: mountpoint, destination } of fresh) {
      await daemon.tracer.span(
        'volume.CopyImagePathContent',
        {
          attributes: {
            'container.id': containerId,
            'engineroom.volume.name': name,
            'engineroom.volume.mountpoint': mountpoint,
            'engineroom.mount.target': destination,
          },
          source: __SOURCE__,
        },
        async (span) => {
          if (!(await copyUpVolume({ root, destination, mountpoint }))) return;
          span.event('volume copied up', { 'engineroom.volume.name': name }, { level: 'step' });
        },
      );
    }
  });
};

/** A failure here leaves a volume too many, never a container: it is told and not thrown. */
export const releaseVolumes = async (
  daemon: Daemon,
  containerId: string,
  options: { readonly mountPoints: readonly MountPoint[]; readonly removesAnonymous: boolean },
): Promise<void> => {
  for (const { type, name, isNamed } of options.mountPoints) {
    if (type !== 'volume') continue;
    daemon.volumes.release(name, containerId);
    if (!options.removesAnonymous || isNamed) continue;
    await removeVolume(daemon, name, { isForced: true }).catch((error: unknown) => {
      if (kindOf(error) === 'conflict') return;
      process.stderr.write(`dockerd: volume ${name}: ${messageOf(error)}\n`);
    });
  }
};

/** Each run mounts the volumes anew. */
export const tellMounts = (
  daemon: Daemon,
  { id, mountPoints }: Container,
  action: 'mount' | 'unmount',
): void => {
  for (const { type, name, destination, isWritable, propagation } of mountPoints) {
    if (type !== 'volume') continue;
    const place = { destination, propagation, 'read/write': String(isWritable) };
    tellVolume(daemon, name, action, { container: id, ...(action === 'mount' ? place : {}) });
  }
};

/** After a restart of dockerd the containers themselves say what they use. */
export const holdVolumes = (daemon: Daemon): void => {
  for (const { id, mountPoints } of daemon.store.list()) {
    for (const { type, name } of mountPoints) if (type === 'volume') daemon.volumes.hold(name, id);
  }
};

/** `-v /missing:/there` makes a folder, as Docker does; what `--mount` names must be there. */
export const makeMissingSources = async (points: readonly MountPoint[]): Promise<void> => {
  for (const { source, makesSource } of points) {
    if (!makesSource) continue;
    try {
      await mkdir(source, { recursive: true, mode: 0o755 });
    } catch (error) {
      // A file, a socket or a device can be mounted as well.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new EngineError(
        'internal',
        `error while creating mount source path '${source}': ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
};

export const mountAnswer = (point: MountPoint): MountAnswer => ({
  Type: point.type,
  ...(point.type === 'volume' ? { Name: point.name } : {}),
  Source: point.source,
  Destination: point.destination,
  ...(point.type === 'volume' ? { Driver: LOCAL_DRIVER } : {}),
  // An old client's `ps` and `inspect` show what was written behind the second colon.
  Mode: point.mode || (point.isNamed ? 'z' : ''),
  RW: point.isWritable,
  Propagation: point.propagation,
});
