/**
 * A new image of a configuration and layers that containerd has: the blobs are written, the layers unpacked, and the
 * name set. `docker commit` and `docker import` end here. Upstream: moby daemon/containerd/image_commit.go.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import { contentLabels, snapshotLabel } from './gc-labels.ts';
import type { ImageConfig, ImageStore } from './image-store.ts';
import { unpackImage } from './unpack.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Answers the id of the image. Precondition: `client` works under a lease that holds the layers. */
export const composeImage = async (
  store: ImageStore,
  client: ImageClient,
  {
    config,
    layers,
    name,
  }: {
    readonly config: ImageConfig;
    readonly layers: readonly Descriptor[];
    /** Null for an image without a name. */
    readonly name: string | null;
  },
): Promise<string> => {
  const put = async (
    mediaType: string,
    value: unknown,
    labels: Record<string, string>,
  ): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const descriptor = { mediaType, digest, size: bytes.length };
    await client.writeBlob(descriptor, Readable.from([bytes]), labels);
    return descriptor;
  };
  const configBlob = await put(OCI_CONFIG, config, snapshotLabel(config, client.snapshotter));
  const plain = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const target = await put(
    OCI_MANIFEST,
    { schemaVersion: 2, mediaType: OCI_MANIFEST, config: configBlob, layers: plain },
    contentLabels([configBlob, ...plain]),
  );
  await unpackImage(client, await store.read(target));
  if (name !== null) await store.tag(client, name, target);
  else if ((await store.names(target.digest)).length === 0) await client.tag(target.digest, target);
  return target.digest;
};
