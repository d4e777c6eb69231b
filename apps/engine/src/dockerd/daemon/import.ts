/**
 * `docker import`: the tar of a root filesystem becomes an image of one layer.
 * Upstream: moby daemon/containerd/image_import.go.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { hostPlatform, parsePlatform } from '../distribution/manifest.ts';
import { composeImage } from '../images/compose.ts';
import { familiarName } from '../images/reference.ts';
import { withChanges } from './config-changes.ts';
import type { Daemon } from './daemon.ts';
import { newName } from './image-tag.ts';

export interface ImportRequest {
  readonly archive: Readable;
  readonly repository: string;
  readonly tag: string;
  readonly message: string;
  readonly platform: string;
  readonly changes: readonly string[];
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Answers the id of the image. */
export const importImage = async (daemon: Daemon, request: ImportRequest): Promise<string> => {
  const name = newName(request.repository, request.tag);
  const settings = withChanges({ Env: null, Cmd: null, Entrypoint: null }, request.changes);
  const { os, architecture } = parsePlatform(request.platform) ?? hostPlatform();
  const folder = join(daemon.options.dataRoot, 'tmp');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `import-${randomUUID()}`);
  try {
    const { diffId, digest } = await compressInto(path, request.archive);
    const layer = { mediaType: LAYER, digest, size: (await stat(path)).size };
    const created = new Date().toISOString();
    const id = await daemon.images.withLease(async (client) => {
      await client.writeBlob(layer, createReadStream(path));
      return composeImage(daemon.imageStore, client, {
        config: {
          created,
          architecture,
          os,
          config: settings,
          rootfs: { type: 'layers', diff_ids: [diffId] },
          history: [{ created, comment: request.message }],
        },
        layers: [layer],
        name,
      });
    });
    daemon.events.emit({
      Type: 'image',
      Action: 'import',
      Actor: { ID: id, Attributes: { name: name === null ? id : familiarName(name) } },
    });
    return id;
  } finally {
    await rm(path, { force: true });
  }
};

/** Plain or gzipped as it came, gzipped as it lies there: and hashed on the way, both as tar and as blob. */
const compressInto = async (
  path: string,
  archive: Readable,
): Promise<{ diffId: string; digest: string }> => {
  const [tar, blob] = [new Hashing(), new Hashing()];
  try {
    const plain = await decompressed(archive);
    await pipeline(
      archive,
      plain,
      tar,
      createGzip(),
      blob,
      createWriteStream(path, { mode: 0o600 }),
    );
  } catch (error) {
    throw new EngineError('invalid_argument', `cannot read the archive: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return { diffId: tar.digest(), digest: blob.digest() };
};

/** Looks at the beginning without taking it away. */
const decompressed = async (archive: Readable): Promise<Transform> => {
  const first = await new Promise<Buffer>((resolve, reject) => {
    const look = (): void => {
      const chunk = archive.read() as Buffer | null;
      if (chunk === null && !archive.readableEnded) return;
      archive.off('readable', look).off('end', look).off('error', reject);
      resolve(chunk ?? Buffer.alloc(0));
    };
    archive.on('readable', look).once('end', look).once('error', reject);
  });
  if (first.length === 0) throw new EngineError('invalid_argument', 'the archive is empty');
  archive.unshift(first);
  if (first[0] === 0x1f && first[1] === 0x8b) return createGunzip();
  const known: readonly (readonly [name: string, magic: string])[] = [
    ['xz', 'fd377a58'],
    ['bzip2', '425a68'],
    ['zstd', '28b52ffd'],
  ];
  const other = known.find(([, magic]) => first.toString('hex', 0, 4).startsWith(magic));
  if (other) throw new EngineError('not_implemented', `archives of ${other[0]} are not supported`);
  return new PassThrough();
};

class Hashing extends Transform {
  readonly #hash = createHash('sha256');
  override _transform(
    chunk: Buffer,
    _: BufferEncoding,
    done: (error: Error | null, chunk: Buffer) => void,
  ): void {
    this.#hash.update(chunk);
    done(null, chunk);
  }
  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
