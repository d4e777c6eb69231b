/**
 * `docker pull`: a name becomes a manifest, its blobs are fetched and checked, its layers are unpacked, and only then
 * does the name point to it. Upstream: moby daemon/internal/distribution/pull_v2.go.
 */
import { Readable } from 'node:stream';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import { contentLabels, snapshotLabel } from '../images/gc-labels.ts';
import type { ImageStore } from '../images/image-store.ts';
import { canonicalName, familiarName, type Reference } from '../images/reference.ts';
import { unpackImage } from '../images/unpack.ts';
import { fetchBlob, fetchLayers, shortDigest, type Tell } from './fetch-blobs.ts';
import { hostPlatform, resolve, type Platform, type Resolved } from './manifest.ts';
import { MANIFEST_LIMIT_BYTES, RegistryError, type Registry } from './registry.ts';

export interface Pull {
  readonly reference: Reference;
  readonly platform: Platform | null;
  readonly registry: Registry;
  readonly store: ImageStore;
  readonly tracer: Tracer;
  readonly tell: Tell;
}

/** The registry's refusal in the words that Docker has for it. */
const asPullError = (error: unknown, reference: Reference): unknown => {
  if (!(error instanceof RegistryError)) return error;
  const repository = familiarName(reference.repository);
  const sentences: Readonly<Record<string, string>> = {
    MANIFEST_UNKNOWN: `manifest for ${familiarName(canonicalName(reference))} not found`,
    NAME_UNKNOWN: `repository ${repository} not found`,
    DENIED: `pull access denied for ${repository}, repository does not exist or may require 'docker login'`,
  };
  const sentence = sentences[error.code];
  if (sentence === undefined) return error;
  return new EngineError('not_found', `${sentence}: ${error.message}`, { cause: error });
};

export const pull = async (wanted: Pull): Promise<void> => {
  const { reference, registry, store, tracer, tell } = wanted;
  const platform = wanted.platform ?? hostPlatform();
  const resolved = await tracer
    .span(
      `resolve ${familiarName(canonicalName(reference))}`,
      { level: 'step', source: __SOURCE__ },
      async (span) => {
        const found = await resolve(registry, reference.digest ?? reference.tag ?? '', platform);
        span.event('resolved', { 'oci.manifest.digest': found.top.digest });
        return found;
      },
    )
    .catch((error: unknown) => {
      throw asPullError(error, reference);
    });
  const path = reference.repository.slice(reference.repository.indexOf('/') + 1);
  tell({
    status: `Pulling from ${path}`,
    id: reference.tag ?? reference.digest ?? '',
  });
  // An index stands for this host's platform; another one's image is named by its own manifest.
  const isForeign = platform.architecture !== hostPlatform().architecture;
  const { mediaType, digest, size } = isForeign ? resolved.manifest : resolved.top;
  const target = { mediaType, digest, size };
  const name = canonicalName(reference);
  const before = await store.client.get(name);
  let isNew = before?.target.digest !== digest;
  await store.client.withLease(async (client) => {
    isNew = (await bringIn(wanted, client, { resolved, target })) || isNew;
    await store.tag(client, name, target);
  });
  tell({ status: `Digest: ${resolved.top.digest}` });
  const short = familiarName(name);
  tell({
    status: isNew
      ? `Status: Downloaded newer image for ${short}`
      : `Status: Image is up to date for ${short}`,
  });
};

/** True when something had to be fetched. */
const bringIn = async (
  { registry, store, tracer, tell }: Pull,
  client: ImageClient,
  image: { readonly resolved: Resolved; readonly target: Descriptor },
): Promise<boolean> => {
  const { top, manifest, config, layers } = image.resolved;
  const fetching = { registry, client, tracer, tell };
  const quiet = { ...fetching, tell: () => undefined };
  await fetchBlob(quiet, config, { level: 'detail' });
  const labels = snapshotLabel(await readConfig(client, config.digest), client.snapshotter);
  await client.writeBlob(config, Readable.from([]), labels);
  await client.writeBlob(
    manifest,
    Readable.from([manifest.bytes]),
    contentLabels([config, ...layers]),
  );
  if (top.digest !== manifest.digest) {
    await client.writeBlob(top, Readable.from([top.bytes]), contentLabels([manifest]));
  }
  let isNew = false;
  const fetched = fetchLayers(
    {
      ...fetching,
      tell: (message) => {
        isNew ||= message.status === 'Pulling fs layer';
        tell(message);
      },
    },
    layers,
  );
  const idOf = (index: number): string => shortDigest(layers[index]?.digest ?? '');
  const extracted = new Set<number>();
  const unpacked = unpackImage(client, await store.read(image.target), {
    ready: (index) => fetched[index] ?? Promise.resolve(),
    extracting: (index) => {
      extracted.add(index);
      const total = layers[index]?.size ?? 0;
      tell({ status: 'Extracting', progressDetail: { current: total, total }, id: idOf(index) });
    },
    done: (index) => {
      if (!extracted.has(index) && !isNew) return;
      tell({ status: 'Pull complete', progressDetail: {}, id: idOf(index) });
    },
  });
  try {
    await unpacked;
  } catch (error) {
    // The next registry may be asked for the same blobs: nobody may be writing them any more.
    registry.stop();
    await Promise.allSettled(fetched);
    throw error;
  }
  return isNew;
};

const readConfig = async (client: ImageClient, digest: string): Promise<unknown> => {
  try {
    return JSON.parse((await client.readBlob(digest, MANIFEST_LIMIT_BYTES)).toString('utf8'));
  } catch (error) {
    throw new EngineError('invalid_argument', `image configuration ${digest} is not valid JSON`, {
      cause: error,
    });
  }
};
