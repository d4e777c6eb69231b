/**
 * The blobs of one image, three at a time, into containerd, which checks each against its digest.
 * Upstream: moby daemon/internal/distribution/xfer.
 */
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import type { Registry } from './registry.ts';

/** As `max-concurrent-downloads` of Docker. */
const AT_ONCE = 3;
const TELL_EVERY_MS = 100;

export type Tell = (message: ProgressMessage) => void;

export const shortDigest = (digest: string): string => digest.slice('sha256:'.length, 19);

export interface Fetching {
  readonly registry: Registry;
  readonly client: ImageClient;
  readonly tracer: Tracer;
  readonly tell: Tell;
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  { digest, size }: Descriptor,
  tell: Tell,
): AsyncGenerator<Buffer> {
  let current = 0;
  let toldAt = 0;
  for await (const chunk of chunks) {
    current += chunk.length;
    const now = performance.now();
    if (now - toldAt >= TELL_EVERY_MS) {
      toldAt = now;
      tell({
        status: 'Downloading',
        progressDetail: { current, total: size },
        id: shortDigest(digest),
      });
    }
    yield chunk;
  }
  tell({ status: 'Verifying Checksum', progressDetail: {}, id: shortDigest(digest) });
}

/** One blob, unless it is there. */
export const fetchBlob = async (
  { registry, client, tracer, tell }: Fetching,
  blob: Descriptor,
  options: { readonly level: 'step' | 'detail'; readonly labels?: Record<string, string> },
): Promise<void> => {
  const attributes = { 'engineroom.blob.digest': blob.digest, 'engineroom.blob.bytes': blob.size };
  await tracer.span(
    `fetch ${shortDigest(blob.digest)}`,
    { level: options.level, source: __SOURCE__, attributes },
    async () => {
      try {
        await client.writeBlob(blob, counted(registry.blob(blob), blob, tell), options.labels);
      } catch (error) {
        // Only the check at the end fails so: these are not the bytes that the manifest names.
        if (kindOf(error) !== 'failed_precondition') throw error;
        throw new EngineError(
          'invalid_argument',
          `filesystem layer verification failed for digest ${blob.digest}`,
          { cause: error },
        );
      }
    },
  );
};

/** Starts all of them; answers one promise a layer. When one fails, the caller ends the others by its signal. */
export const fetchLayers = (
  fetching: Fetching,
  layers: readonly Descriptor[],
): readonly Promise<void>[] => {
  const { client, tell } = fetching;
  const byDigest = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  const turn = async (): Promise<void> => {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
  };
  const fetchOne = async (layer: Descriptor): Promise<void> => {
    const id = shortDigest(layer.digest);
    if (await client.hasBlob(layer.digest)) {
      tell({ status: 'Already exists', progressDetail: {}, id });
      return;
    }
    tell({ status: 'Pulling fs layer', progressDetail: {}, id });
    await turn();
    try {
      await fetchBlob(fetching, layer, { level: 'step' });
      tell({ status: 'Download complete', progressDetail: {}, id });
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
  return layers.map((layer) => {
    const known = byDigest.get(layer.digest);
    if (known) return known;
    const fetched = fetchOne(layer);
    // Whoever unpacks awaits them in order; a later one may fail before.
    fetched.catch(() => undefined);
    byDigest.set(layer.digest, fetched);
    return fetched;
  });
};
