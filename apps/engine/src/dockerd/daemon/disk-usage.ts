/** `docker system df`: what images, containers and volumes take on disk. Upstream: moby daemon/disk_usage.go. */
import type { Daemon } from './daemon.ts';
import { listImages } from './images.ts';
import { list } from './list.ts';
import { folderBytes, listVolumes } from './volumes.ts';

export type UsageType = 'container' | 'image' | 'volume' | 'build-cache';

export const diskUsage = async (
  daemon: Daemon,
  types: ReadonlySet<UsageType>,
): Promise<Readonly<Record<string, unknown>>> => ({
  ...(types.has('image') ? await imageUsage(daemon) : {}),
  ...(types.has('container') ? { Containers: await containerUsage(daemon) } : {}),
  ...(types.has('volume') ? { Volumes: await volumeUsage(daemon) } : {}),
  // Nothing is built here.
  ...(types.has('build-cache') ? { BuildCache: [], BuilderSize: 0 } : {}),
});

const imageUsage = async (daemon: Daemon) => {
  const images = await listImages(daemon, {});
  const usersOf = (id: string): number =>
    daemon.store.list().filter(({ record }) => record.imageId === id).length;
  return {
    LayersSize: images.reduce((sum, { Size }) => sum + Size, 0),
    Images: images.map((image) => ({ ...image, SharedSize: 0, Containers: usersOf(image.Id) })),
  };
};

const containerUsage = (daemon: Daemon) =>
  Promise.all(
    list(daemon, { isAll: true, limit: 0, filters: {} }).map(async (summary) => {
      const SizeRw = await daemon.images.snapshotUsageBytes(summary.Id).catch(() => 0);
      return { ...summary, SizeRw };
    }),
  );

const volumeUsage = (daemon: Daemon) =>
  Promise.all(
    listVolumes(daemon, {}).map(async (volume) => ({
      ...volume,
      UsageData: {
        RefCount: daemon.volumes.usersOf(volume.Name).length,
        Size: await folderBytes(volume.Mountpoint).catch(() => 0),
      },
    })),
  );
