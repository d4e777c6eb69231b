/** An image of some hundred megabytes as an OCI archive: files that compress to about half, in several layers. */
import { createHash, randomFillSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface LargeImage {
  readonly layers: number;
  readonly files: number;
  readonly fileBytes: number;
}

const sha256 = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const layerTar = async (layer: number, { files, fileBytes }: LargeImage): Promise<Buffer> => {
  const tar = pack();
  for (let file = 0; file < files; file++) {
    const body = Buffer.alloc(fileBytes, `file ${file} of layer ${layer} `);
    randomFillSync(body, 0, fileBytes >> 1);
    tar.entry({ name: `data/${layer}/${file % 20}/${file}`, mtime: new Date(0) }, body);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Writes the archive to `path`. */
export const writeLargeImage = async (path: string, image: LargeImage): Promise<void> => {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(path));
  const put = (bytes: Buffer, mediaType: string) => {
    const digest = sha256(bytes);
    archive.entry({ name: `blobs/sha256/${digest.slice(7)}` }, bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest, size: bytes.length };
  };
  const json = (value: unknown, mediaType: string) =>
    put(Buffer.from(JSON.stringify(value)), mediaType);
  const layers = [];
  const diffIds: string[] = [];
  for (let layer = 0; layer < image.layers; layer++) {
    const tar = await layerTar(layer, image);
    diffIds.push(sha256(tar));
    layers.push(put(gzipSync(tar, { level: 1 }), 'layer.v1.tar+gzip'));
  }
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = json(
    { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } },
    'config.v1+json',
  );
  const manifest = json(
    { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers },
    'manifest.v1+json',
  );
  archive.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
  archive.entry(
    { name: 'index.json' },
    JSON.stringify({ schemaVersion: 2, manifests: [manifest] }),
  );
  archive.finalize();
  await written;
};
