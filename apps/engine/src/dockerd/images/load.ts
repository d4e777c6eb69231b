/**
 * `docker load`: an archive of images (an OCI layout, or what `docker save` has written since 2014) → containerd.
 * Upstream: moby daemon/containerd/image_exporter.go, containerd core/images/archive/importer.go.
 * Reference: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { PassThrough, Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import { contentLabels, snapshotLabel } from './gc-labels.ts';
import { ImageIndex, type ImageStore } from './image-store.ts';
import { canonicalName, familiarName, parseReference } from './reference.ts';
import { unpackImage } from './unpack.ts';

const BLOB = /^(?:\.\/)?blobs\/sha256\/([0-9a-f]{64})$/;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';

const DockerManifest = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z
      .array(z.string())
      .nullish()
      .transform((tags) => tags ?? []),
    Layers: z.array(z.string()),
  }),
);

/** Files of the archive, by name; each one is on disk, so that an archive may have any order and any size. */
type Files = ReadonlyMap<string, string>;

interface Loadable {
  readonly names: readonly string[];
  readonly target: Descriptor;
}

const unpackArchive = async (archive: Readable, directory: string): Promise<Files> => {
  const files = new Map<string, string>();
  const links: [name: string, target: string][] = [];
  const tar = extract();
  // Errors reach the loop below, which reads the same stream.
  const feeding = pipeline(archive, await maybeGunzip(archive), tar).catch(() => undefined);
  for await (const entry of tar) {
    const name = posix.normalize(entry.header.name);
    if (entry.header.type === 'file') {
      // Numbered, never by the archive's own names: those could lead out of the directory.
      const path = join(directory, String(files.size));
      await pipeline(entry, createWriteStream(path, { mode: 0o600 }));
      files.set(name, path);
    } else {
      // `docker save` of old: a layer that occurs twice is a link to the first.
      if (entry.header.type === 'symlink' && entry.header.linkname) {
        links.push([name, posix.join(posix.dirname(name), entry.header.linkname)]);
      }
      entry.resume();
    }
  }
  await feeding;
  for (const [name, target] of links) {
    const path = files.get(target);
    if (path !== undefined) files.set(name, path);
  }
  return files;
};

/** gzip -d when the archive begins like one. */
const maybeGunzip = async (archive: Readable): Promise<Transform> => {
  const first = await new Promise<Buffer>((resolve, reject) => {
    const onReadable = (): void => {
      const chunk = archive.read() as Buffer | null;
      if (chunk === null && !archive.readableEnded) return;
      archive.off('readable', onReadable);
      archive.off('end', onReadable);
      resolve(chunk ?? Buffer.alloc(0));
    };
    archive.on('readable', onReadable);
    archive.once('end', onReadable);
    archive.once('error', reject);
  });
  if (first.length > 0) archive.unshift(first);
  return first[0] === 0x1f && first[1] === 0x8b ? createGunzip() : new PassThrough();
};

const sha256File = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
};

const readJson = async (path: string): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: 4 * 1024 * 1024 })) {
    chunks.push(chunk as Buffer);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
};

/** What each blob needs, for containerd's garbage collector. */
type BlobLabels = Map<string, Readonly<Record<string, string>>>;

const Tree = z.looseObject({
  manifests: z.array(z.object({ digest: z.string() })).optional(),
  config: z.object({ digest: z.string() }).optional(),
  layers: z.array(z.object({ digest: z.string() })).optional(),
});

/** Walks from an index or a manifest to all below. */
const labelTree = async (
  digest: string,
  blobs: ReadonlyMap<string, string>,
  labels: BlobLabels,
  snapshotter: string,
): Promise<void> => {
  const path = blobs.get(digest);
  if (path === undefined || labels.has(digest)) return;
  const { manifests = [], config, layers = [] } = Tree.parse(await readJson(path));
  labels.set(digest, contentLabels([...manifests, ...(config ? [config] : []), ...layers]));
  for (const manifest of manifests) await labelTree(manifest.digest, blobs, labels, snapshotter);
  const configPath = config && blobs.get(config.digest);
  if (configPath) labels.set(config.digest, snapshotLabel(await readJson(configPath), snapshotter));
};

const nameOf = (annotations: Readonly<Record<string, string>> = {}): string[] => {
  const full = annotations['io.containerd.image.name'];
  const short = annotations['org.opencontainers.image.ref.name'];
  const given = full ?? short;
  return given === undefined ? [] : [canonicalName(parseReference(given))];
};

/** An OCI layout: the blobs are named by their digest already. */
const loadLayout = async (
  client: ImageClient,
  files: Files,
  index: string,
): Promise<Loadable[]> => {
  const { manifests } = ImageIndex.parse(await readJson(index));
  const blobs = new Map<string, string>();
  for (const [name, path] of files) {
    const [, hex] = BLOB.exec(name) ?? [];
    if (hex) blobs.set(`sha256:${hex}`, path);
  }
  const labels: BlobLabels = new Map();
  for (const { digest } of manifests) await labelTree(digest, blobs, labels, client.snapshotter);
  for (const [digest, path] of blobs) {
    const { size } = await stat(path);
    const descriptor = { mediaType: '', digest, size };
    await client.writeBlob(descriptor, createReadStream(path), labels.get(digest));
  }
  return manifests.map(({ mediaType, digest, size, annotations }) => ({
    names: nameOf(annotations),
    target: { mediaType, digest, size },
  }));
};

/** The older form knows no manifest: one is made of what `manifest.json` says. */
const loadDockerArchive = async (
  client: ImageClient,
  files: Files,
  manifest: string,
): Promise<Loadable[]> => {
  const loaded: Loadable[] = [];
  for (const { Config, RepoTags, Layers } of DockerManifest.parse(await readJson(manifest))) {
    const put = async (
      name: string,
      mediaType: string,
      labels?: Readonly<Record<string, string>>,
    ): Promise<Descriptor> => {
      const path = files.get(posix.normalize(name));
      if (path === undefined) {
        throw new EngineError('invalid_argument', `${name} is missing in the archive`);
      }
      const digest = await sha256File(path);
      const descriptor = { mediaType, digest, size: (await stat(path)).size };
      await client.writeBlob(descriptor, createReadStream(path), labels);
      return descriptor;
    };
    const configPath = files.get(posix.normalize(Config));
    const config = await put(
      Config,
      OCI_CONFIG,
      configPath === undefined ? {} : snapshotLabel(await readJson(configPath), client.snapshotter),
    );
    const layers: Descriptor[] = [];
    for (const layer of Layers) layers.push(await put(layer, OCI_LAYER));
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }),
    );
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const target = { mediaType: OCI_MANIFEST, digest, size: bytes.length };
    await client.writeBlob(target, Readable.from([bytes]), contentLabels([config, ...layers]));
    loaded.push({ names: RepoTags.map((tag) => canonicalName(parseReference(tag))), target });
  }
  return loaded;
};

const hasNames = async (manifest: string): Promise<boolean> =>
  DockerManifest.parse(await readJson(manifest)).some(({ RepoTags }) => RepoTags.length > 0);

/** Answers one sentence for each image. */
export const loadImages = async (
  store: ImageStore,
  archive: Readable,
  temporaryRoot: string,
): Promise<string[]> => {
  await mkdir(temporaryRoot, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(join(temporaryRoot, 'load-'));
  try {
    const files = await unpackArchive(archive, directory).catch((error: unknown) => {
      throw new EngineError('invalid_argument', 'archive/tar: invalid tar header', {
        cause: error,
      });
    });
    const index = files.get('index.json');
    const manifest = files.get('manifest.json');
    if (index === undefined && manifest === undefined) {
      throw new EngineError('invalid_argument', 'invalid archive: no index.json, no manifest.json');
    }
    return await store.client.withLease((client) =>
      importFiles(store, client, { files, index, manifest }),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const importFiles = async (
  store: ImageStore,
  client: ImageClient,
  archive: {
    readonly files: Files;
    readonly index: string | undefined;
    readonly manifest: string | undefined;
  },
): Promise<string[]> => {
  const { files, index, manifest } = archive;
  let images: Loadable[] = [];
  if (index !== undefined) images = await loadLayout(client, files, index);
  const isUnnamed = images.every(({ names }) => names.length === 0);
  // Where neither has names, the layout's digests are those of whoever saved it.
  if (manifest !== undefined && isUnnamed && (index === undefined || (await hasNames(manifest))))
    images = await loadDockerArchive(client, files, manifest);

  const sentences: string[] = [];
  for (const { names, target } of images) {
    await unpackImage(client, await store.read(target));
    for (const name of names) {
      await store.tag(client, name, target);
      sentences.push(`Loaded image: ${familiarName(name)}`);
    }
    if (names.length === 0) {
      if ((await store.names(target.digest)).length === 0) await client.tag(target.digest, target);
      sentences.push(`Loaded image ID: ${target.digest}`);
    }
  }
  return sentences;
};
