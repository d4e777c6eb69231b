/**
 * Layers → snapshots, each over the one below: prepare, apply the tar, commit under the chain id.
 * A layer that some other image brought already is there. Upstream: containerd core/unpack.
 */
import { randomUUID } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import { chainIds, type LoadedImage } from './image-store.ts';

export interface UnpackWatch {
  /** Resolves when the layer's blob is there. */
  readonly ready: (index: number) => Promise<void>;
  readonly extracting: (index: number) => void;
  readonly done: (index: number) => void;
}

export const unpackImage = async (
  client: ImageClient,
  image: LoadedImage,
  watch?: UnpackWatch,
): Promise<void> => {
  const diffIds = image.config.rootfs.diff_ids;
  if (diffIds.length !== image.layers.length) {
    throw new EngineError(
      'invalid_argument',
      `image has ${image.layers.length} layers but its configuration names ${diffIds.length}`,
    );
  }
  const chain = chainIds(diffIds);
  for (const [index, layer] of image.layers.entries()) {
    const name = chain[index] ?? '';
    await watch?.ready(index);
    if (await client.hasSnapshot(name)) {
      watch?.done(index);
      continue;
    }
    watch?.extracting(index);
    const key = `extract-${randomUUID()} ${name}`;
    const mounts = await client.prepareSnapshot(key, chain[index - 1] ?? '', {
      isKept: false,
    });
    try {
      const diffId = await client.applyLayer(layer, mounts);
      if (diffId !== diffIds[index]) {
        throw new EngineError(
          'invalid_argument',
          `layer ${layer.digest} unpacks to ${diffId}, but the configuration promises ${diffIds[index] ?? 'nothing'}`,
        );
      }
      if (!(await client.commitSnapshot(key, name))) await client.removeSnapshot(key);
      watch?.done(index);
    } catch (error) {
      await client.removeSnapshot(key).catch(() => undefined);
      throw error;
    }
  }
};
