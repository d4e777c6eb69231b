/**
 * `docker save`: images as an OCI layout, with the `manifest.json` that older readers look for. Blobs are written as
 * they are, so whoever loads the archive gets the same digests.
 * Upstream: moby daemon/containerd/image_exporter.go, containerd core/images/archive/exporter.go.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import * as z from 'zod';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import type { ImageStore, LoadedImage } from './image-store.ts';
import { familiarName } from './reference.ts';

const LIMIT_BYTES = 4 * 1024 * 1024;
const EPOCH = new Date(0);

export interface SavedImage {
  readonly image: LoadedImage;
  /** Canonical names under which it shall be found again; none for an image that was named by its id. */
  readonly names: readonly string[];
}

export const saveImages = async (
  store: ImageStore,
  images: readonly SavedImage[],
  out: Writable,
): Promise<void> => {
  const tar = pack();
  const piping = finished(tar.pipe(out), { readable: false });
  // Whoever reads may go away in the middle.
  piping.catch((error: Error) => tar.destroy(error));
  const writing = async (): Promise<void> => {
    writeText(tar, 'oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    const written = new Set<string>();
    for (const { image } of images) {
      for (const blob of await blobsOf(store.client, image.target)) {
        if (written.has(blob.digest)) continue;
        written.add(blob.digest);
        await writeBlob(tar, store.client, blob);
      }
    }
    writeText(tar, 'index.json', JSON.stringify(indexOf(images)));
    writeText(tar, 'manifest.json', JSON.stringify(images.map(dockerManifestOf)));
    tar.finalize();
  };
  await Promise.all([writing(), piping]);
};

const writeText = (tar: Pack, name: string, text: string): void => {
  tar.entry({ name, mtime: EPOCH, mode: 0o444 }, text);
};

const writeBlob = async (
  tar: Pack,
  client: ImageClient,
  { digest, size }: Descriptor,
): Promise<void> => {
  const entry = tar.entry({ name: pathOf(digest), mtime: EPOCH, mode: 0o444, size });
  for await (const chunk of client.blobChunks(digest)) {
    if (entry.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))) continue;
    await Promise.race([once(entry, 'drain'), once(tar, 'close')]);
    if (tar.destroyed) throw new Error('the archive was not wanted to its end');
  }
  entry.end(undefined);
};

const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

const Tree = z.looseObject({
  manifests: z.array(z.looseObject({ digest: z.string(), size: z.number() })).optional(),
  config: z.looseObject({ digest: z.string(), size: z.number() }).optional(),
  layers: z.array(z.looseObject({ digest: z.string(), size: z.number() })).optional(),
});

/** The index or manifest and all below. Of an index, only the platforms that are here. */
const blobsOf = async (client: ImageClient, top: Descriptor): Promise<Descriptor[]> => {
  if (!(await client.hasBlob(top.digest))) return [];
  const bytes = await client.readBlob(top.digest, LIMIT_BYTES);
  const { manifests = [], config, layers = [] } = Tree.parse(JSON.parse(bytes.toString('utf8')));
  const leaves = [...(config ? [config] : []), ...layers];
  const below = leaves.map(({ digest, size }) => ({ mediaType: '', digest, size }));
  for (const { digest, size } of manifests)
    below.push(...(await blobsOf(client, { mediaType: '', digest, size })));
  return [top, ...below];
};

const tagOf = (name: string): string => name.slice(name.lastIndexOf(':') + 1);

const indexOf = (images: readonly SavedImage[]) => ({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: images.flatMap(({ image, names }) => {
    const { mediaType, digest, size } = image.target;
    const target = { mediaType, digest, size };
    if (names.length === 0) return [target];
    return names.map((name) => ({
      ...target,
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': tagOf(name),
      },
    }));
  }),
});

const dockerManifestOf = ({ image, names }: SavedImage) => ({
  Config: pathOf(image.configDigest),
  RepoTags: names.map(familiarName),
  Layers: image.layers.map(({ digest }) => pathOf(digest)),
});
