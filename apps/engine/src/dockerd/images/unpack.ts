/**
 * Layers → snapshots, each over the one below: prepare, apply the tar, commit under the chain id.
 * A layer that some other image brought already is there. Upstream: containerd core/unpack.
 */
import { randomUUID } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
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
    await once(client, name, async () => {
      watch?.extracting(index);
      const parent = chain[index - 1] ?? '';
      await unpackLayer(client, layer, { name, parent, diffId: diffIds[index] ?? '' });
    });
    watch?.done(index);
  }
};

/** Two pulls that share a layer unpack it once: the second one waits, and does it itself when the first one failed. */
const once = async (
  client: ImageClient,
  name: string,
  unpack: () => Promise<void>,
): Promise<void> => {
  const { unpacking } = client;
  for (let other = unpacking.get(name); other; other = unpacking.get(name))
    await other.catch(() => undefined);
  const mine = (async () => {
    if (!(await client.hasSnapshot(name))) await unpack();
  })();
  unpacking.set(name, mine);
  try {
    await mine;
  } finally {
    unpacking.delete(name);
  }
};

const unpackLayer = async (
  client: ImageClient,
  layer: Descriptor,
  {
    name,
    parent,
    diffId,
  }: { readonly name: string; readonly parent: string; readonly diffId: string },
): Promise<void> => {
  const key = `extract-${randomUUID()} ${name}`;
  const mounts = await client.prepareSnapshot(key, parent, { isKept: false });
  try {
    const applied = await client.applyLayer(layer, mounts);
    if (applied !== diffId) {
      throw new EngineError(
        'invalid_argument',
        `layer ${layer.digest} unpacks to ${applied}, but the configuration promises ${diffId || 'nothing'}`,
      );
    }
    if (!(await client.commitSnapshot(key, name))) await client.removeSnapshot(key);
  } catch (error) {
    await client.removeSnapshot(key).catch(() => undefined);
    throw error;
  }
};
