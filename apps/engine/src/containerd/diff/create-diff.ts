/**
 * Writes the difference of two snapshots into the content store, as `docker commit` and `ctr snapshots diff` want it.
 * Upstream: containerd plugins/diff/walking.
 */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import type { ContentStore } from '../content/content-store.ts';
import { finishDigest, startDigest, type Digest } from '../content/digest.ts';
import type { Labels } from '../metadata/update-mask.ts';

/** The blob says in a label what it is when it is uncompressed: the layer's diff id. */
const UNCOMPRESSED = 'containerd.io/uncompressed';
const OCI = 'application/vnd.oci.image.layer.v1.tar';
const DOCKER = 'application/vnd.docker.image.rootfs.diff.tar';
const GZIPPED: Readonly<Record<string, boolean>> = {
  [OCI]: false,
  [`${OCI}+gzip`]: true,
  [DOCKER]: false,
  [`${DOCKER}.gzip`]: true,
};

export interface DiffBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Empty: gzip of OCI. */
export const diffMediaType = (wanted: string): string => {
  const mediaType = wanted === '' ? `${OCI}+gzip` : wanted;
  if (!Object.hasOwn(GZIPPED, mediaType))
    throw new EngineError(
      'not_implemented',
      `unsupported diff media type: ${mediaType}: not implemented`,
    );
  return mediaType;
};

export const writeDiff = async (
  content: ContentStore,
  {
    namespace,
    ref,
    mediaType,
    labels,
    layer,
    hold,
  }: {
    readonly namespace: string;
    readonly ref: string;
    readonly mediaType: string;
    readonly labels: Labels;
    readonly layer: AsyncIterable<Buffer>;
    /** Called with the digest before the blob exists. */
    readonly hold: (digest: Digest) => void;
  },
): Promise<DiffBlob> => {
  const isGzipped = GZIPPED[mediaType] ?? false;
  const hash = startDigest();
  const writer = await content.writer(namespace, { ref, totalBytes: 0, expected: undefined });
  try {
    await writer.truncate();
    const tar = hashed(layer, (chunk) => hash.update(chunk));
    for await (const chunk of isGzipped ? gzipped(tar) : tar) await writer.write(chunk);
    const { offset: sizeBytes } = writer.status();
    const digest = writer.digest();
    hold(digest);
    const own = isGzipped ? { [UNCOMPRESSED]: finishDigest(hash) } : {};
    await content
      .commit(namespace, writer, {
        sizeBytes,
        expected: undefined,
        labels: { ...labels, ...own },
      })
      .catch((error: unknown) => {
        // The same change was written before.
        if (kindOf(error) !== 'already_exists') throw error;
        const paths = Object.keys({ ...labels, ...own }).map((key) => `labels.${key}`);
        if (paths.length > 0) content.update(namespace, digest, { ...labels, ...own }, paths);
      });
    return { mediaType, digest, sizeBytes };
  } catch (error) {
    await writer.close();
    await content.abort(namespace, ref).catch(() => undefined);
    throw error;
  } finally {
    await writer.close();
  }
};

async function* hashed(
  chunks: AsyncIterable<Buffer>,
  see: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

async function* gzipped(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = Readable.from(chunks, { objectMode: false });
  const output = createGzip();
  input.on('error', (error) => output.destroy(error));
  try {
    for await (const chunk of input.pipe(output)) yield chunk as Buffer;
  } finally {
    input.destroy();
    output.destroy();
  }
}
