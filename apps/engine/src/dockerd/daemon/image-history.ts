/** `docker history`: the steps that made an image, the youngest first. Upstream: moby daemon/containerd/image_history.go. */
import type { HistoryItem } from '../../protocol/docker-engine-api/images.ts';
import { chainIds } from '../images/image-store.ts';
import { familiarName } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';
import { isTag } from './image-names.ts';

export const imageHistory = async (daemon: Daemon, reference: string): Promise<HistoryItem[]> => {
  const image = await daemon.imageStore.find(reference);
  const { config } = image;
  const chain = chainIds(config.rootfs.diff_ids);
  const items: HistoryItem[] = [];
  let layer = 0;
  for (const step of config.history ?? []) {
    // What a layer takes on disk, unpacked; its snapshot may be gone.
    const name = step.empty_layer === true ? undefined : chain[layer++];
    const Size =
      name === undefined ? 0 : await daemon.images.snapshotUsageBytes(name).catch(() => 0);
    items.unshift({
      Id: '<missing>',
      Created: Math.floor(Date.parse(step.created ?? '1970-01-01T00:00:00Z') / 1000),
      CreatedBy: step.created_by ?? '',
      Tags: null,
      Size,
      Comment: step.comment ?? '',
    });
  }
  const [youngest] = items;
  const names = (await daemon.imageStore.names(image.id)).filter(isTag).map(familiarName);
  if (youngest) items[0] = { ...youngest, Id: image.id, Tags: names };
  return items;
};
