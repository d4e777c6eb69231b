/**
 * `docker push`: what the registry lacks is uploaded, layers three at a time, then the manifest under the tag.
 * Upstream: moby daemon/containerd/image_push.go. Reference: https://github.com/opencontainers/distribution-spec
 */
import type { Tracer } from '../../tracing/tracer.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import type { LoadedImage } from '../images/image-store.ts';
import { shortDigest, type Tell } from './fetch-blobs.ts';
import { MANIFEST_LIMIT_BYTES, type Registry } from './registry.ts';

export interface Push {
  readonly image: LoadedImage;
  readonly tag: string;
  readonly registry: Registry;
  readonly client: ImageClient;
  readonly tracer: Tracer;
  readonly tell: Tell;
}

/** Docker has five (`max-concurrent-uploads`); we read each blob out of another process. */
const AT_ONCE = 3;
const TELL_EVERY_MS = 100;

export const push = async ({ image, tag, registry, client, tracer, tell }: Push): Promise<void> => {
  const { layers, configDigest } = image;
  for (const { digest } of layers)
    tell({ status: 'Preparing', progressDetail: {}, id: shortDigest(digest) });
  const unique = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const uploadOne = (blob: Descriptor, told: Tell): Promise<void> =>
    tracer.span(
      `push ${shortDigest(blob.digest)}`,
      {
        level: 'step',
        source: __SOURCE__,
        attributes: { 'engineroom.blob.digest': blob.digest, 'engineroom.blob.bytes': blob.size },
      },
      () => uploadBlob({ registry, client, tell: told }, blob),
    );
  const pending = unique.values();
  const worker = async (): Promise<void> => {
    for (const layer of pending) await uploadOne(layer, tell);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const manifest = await client.readBlob(image.manifest.digest, MANIFEST_LIMIT_BYTES);
  const config = await client.readBlob(configDigest, MANIFEST_LIMIT_BYTES);
  await uploadOne({ mediaType: '', digest: configDigest, size: config.length }, () => undefined);
  const { mediaType, digest, size } = image.manifest;
  await tracer.span(
    `push ${tag}`,
    { level: 'step', source: __SOURCE__, attributes: { 'oci.manifest.digest': digest } },
    () => registry.putManifest(tag, mediaType, manifest),
  );
  tell({ status: `${tag}: digest: ${digest} size: ${size}` });
  tell({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
};

const uploadBlob = async (
  { registry, client, tell }: Pick<Push, 'registry' | 'client' | 'tell'>,
  blob: Descriptor,
): Promise<void> => {
  const id = shortDigest(blob.digest);
  if (await registry.hasBlob(blob.digest)) {
    tell({ status: 'Layer already exists', progressDetail: {}, id });
    return;
  }
  await registry.upload(blob, () => counted(client, blob, tell));
  tell({ status: 'Pushed', progressDetail: {}, id });
};

async function* counted(
  client: ImageClient,
  { digest, size }: Descriptor,
  tell: Tell,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  let toldAt = 0;
  for await (const chunk of client.blobChunks(digest)) {
    current += chunk.length;
    const now = performance.now();
    if (now - toldAt >= TELL_EVERY_MS || current === size) {
      toldAt = now;
      const progressDetail = { current, total: size };
      tell({ status: 'Pushing', progressDetail, id: shortDigest(digest) });
    }
    yield chunk;
  }
}
