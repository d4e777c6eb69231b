/**
 * Writes an OCI image layout as one tar file, byte for byte the same each time.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 * `manifest.json` is in it too, so that `docker load` of any age can read it.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const EPOCH = new Date('2026-01-01T00:00:00Z');
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/** Entries: {name, type?, mode?, linkname?, data?}; owners are root, times are fixed. */
export async function tar(entries) {
  const archive = pack();
  const chunks = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk);
  })();
  for (const {
    name,
    type = 'file',
    mode = type === 'directory' ? 0o755 : 0o644,
    linkname,
    data = Buffer.alloc(0),
  } of entries) {
    archive.entry(
      {
        name,
        type,
        mode,
        linkname,
        mtime: EPOCH,
        uid: 0,
        gid: 0,
        size: type === 'file' ? data.length : 0,
      },
      data,
    );
  }
  archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const blobPath = (digest) => `blobs/${digest.replace(':', '/')}`;
const json = (value) => Buffer.from(JSON.stringify(value));

/**
 * `entries` become the image's one layer; `config` is the part that Docker's Dockerfile writes (Cmd, Env, Labels …).
 * Returns the archive and the digests by which an engine may call the image.
 */
export async function imageLayout({ reference, entries, config, comment }) {
  const layer = await tar(entries);
  const packed = gzipSync(layer, { level: 9 });
  const created = EPOCH.toISOString();
  const imageConfig = json({
    created,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created, created_by: 'scripts/build-images.mjs', comment }],
  });
  const describe = (mediaType, bytes) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: describe('application/vnd.oci.image.config.v1+json', imageConfig),
    layers: [describe('application/vnd.oci.image.layer.v1.tar+gzip', packed)],
  });
  const tag = reference.slice(reference.lastIndexOf(':') + 1);
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...describe('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture: ARCHITECTURES[process.arch] ?? process.arch, os: 'linux' },
        annotations: {
          'io.containerd.image.name': `docker.io/library/${reference}`,
          'org.opencontainers.image.ref.name': tag,
        },
      },
    ],
  });
  const dockerManifest = json([
    {
      Config: blobPath(digestOf(imageConfig)),
      RepoTags: [reference],
      Layers: [blobPath(digestOf(packed))],
    },
  ]);
  const blobs = [packed, imageConfig, manifest]
    .map((bytes) => ({ name: blobPath(digestOf(bytes)), data: bytes }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const archive = await tar([
    { name: 'oci-layout', data: json({ imageLayoutVersion: '1.0.0' }) },
    { name: 'index.json', data: index },
    { name: 'manifest.json', data: dockerManifest },
    { name: 'blobs', type: 'directory' },
    { name: 'blobs/sha256', type: 'directory' },
    ...blobs,
  ]);
  return { archive, ids: [digestOf(manifest), digestOf(imageConfig)] };
}
