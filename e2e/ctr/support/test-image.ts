/**
 * A small image as an OCI archive, the same bytes at every run: two layers, of which the second hides a file of the first.
 * Reference: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';

export interface TestImage {
  readonly name: string;
  readonly archive: string;
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
  readonly diffIds: readonly string[];
  /** The snapshot of all layers. */
  readonly chainId: string;
}

type Entry = Partial<Header> & { readonly name: string; readonly body?: string | Buffer };

const tarOf = async (entries: readonly Entry[]): Promise<Buffer> => {
  const tar = pack();
  for (const { body = '', ...header } of entries)
    tar.entry({ mtime: new Date(0), ...header }, body);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

export const sha256 = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const APPLETS = ['sh', 'echo', 'sleep', 'cat', 'ls', 'env', 'id', 'pwd', 'true', 'touch'];

const busybox = (): Buffer => {
  const path = ['/bin/busybox', '/usr/bin/busybox'].find((each) => existsSync(each));
  if (!path) throw new Error('needs a static busybox (Debian: apt-get install busybox-static)');
  return readFileSync(path);
};

const folder = (name: string): Entry => ({ name, type: 'directory', mode: 0o755 });

const layerTars = async (): Promise<Buffer[]> => [
  await tarOf([
    ...['bin/', 'proc/', 'dev/', 'sys/', 'tmp/', 'etc/', 'run/'].map(folder),
    { name: 'bin/busybox', mode: 0o755, body: busybox() },
    ...APPLETS.map((name): Entry => ({
      name: `bin/${name}`,
      type: 'symlink',
      linkname: 'busybox',
    })),
    { name: 'etc/passwd', body: 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' },
    { name: 'etc/group', body: 'root:x:0:\nuser:x:1000:\n' },
    { name: 'etc/old', body: 'hidden by the second layer\n' },
  ]),
  await tarOf([folder('etc/'), { name: 'etc/.wh.old' }, { name: 'etc/motd', body: 'welcome\n' }]),
];

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

/** Writes the archive to `path`. */
export const writeTestImage = async (path: string, name: string): Promise<TestImage> => {
  const tars = await layerTars();
  const blobs = tars.map((tar) => gzipSync(tar, { level: 6 }));
  const diffIds = tars.map(sha256);
  const config = Buffer.from(
    JSON.stringify({
      created: '2020-01-01T00:00:00Z',
      architecture: ARCHITECTURE,
      os: 'linux',
      config: {
        Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
        Cmd: ['sh', '-c', 'read go; echo from the image'],
      },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const of = (mediaType: string, bytes: Buffer) => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: sha256(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: of('config.v1+json', config),
      layers: blobs.map((blob) => of('layer.v1.tar+gzip', blob)),
    }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [
      { ...of('manifest.v1+json', manifest), annotations: { 'io.containerd.image.name': name } },
    ],
  };
  const blobEntry = (bytes: Buffer): Entry => ({
    name: `blobs/sha256/${sha256(bytes).slice(7)}`,
    body: bytes,
  });
  const archive = await tarOf([
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', body: JSON.stringify(index) },
    ...[...blobs, config, manifest].map(blobEntry),
  ]);
  writeFileSync(path, archive);
  return {
    name,
    archive: path,
    manifest: sha256(manifest),
    config: sha256(config),
    layers: blobs.map(sha256),
    diffIds,
    chainId: sha256(diffIds.join(' ')),
  };
};
