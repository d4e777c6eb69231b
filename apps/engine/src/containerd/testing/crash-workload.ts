/**
 * What containerd writes down in the life of an image, step by step: an ingest in two goes, labels, an image, a
 * container, a lease, snapshots, removal. It can be done on any state that an earlier go has left, and ends in the
 * same one.
 */
import { create } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf } from '../../protocol/errdefs.ts';
import { ContainerSchema } from '../../protocol/gen/containerd/containers_pb.ts';
import { ImageSchema } from '../../protocol/gen/containerd/images_pb.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { BlobStore } from '../content/blob-store.ts';
import { ContentStore } from '../content/content-store.ts';
import type { Digest } from '../content/digest.ts';
import { ImageStore } from '../images/image-store.ts';
import { ContainerStore } from '../metadata/container-store.ts';
import { MetadataDatabase } from '../metadata/database.ts';
import { LeaseStore } from '../metadata/lease-store.ts';
import { Log } from '../log.ts';
import { NamespaceStore } from '../metadata/namespace-store.ts';
import { OverlaySnapshotter } from '../snapshots/overlay.ts';
import { SnapshotStore } from '../snapshots/snapshot-store.ts';

const NS = 'moby';
const sha256 = (bytes: Buffer): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

const SHORT = Buffer.from('{"a":"manifest"}');
const LONG = Buffer.alloc(200_000, 'a layer ');
const BLOBS: ReadonlyMap<Digest, Buffer> = new Map(
  [SHORT, LONG].map((each) => [sha256(each), each]),
);
const [manifest, layer] = [sha256(SHORT), sha256(LONG)];

const openStores = async (root: string) => {
  const database = MetadataDatabase.open(join(root, 'meta'));
  const namespaces = new NamespaceStore(database);
  const blobs = new BlobStore(join(root, 'content'));
  await blobs.open();
  const content = new ContentStore(database, namespaces, blobs);
  await content.dropOrphans();
  const snapshots = new OverlaySnapshotter(
    join(root, 'overlay'),
    new SnapshotStore(database, namespaces, 'overlayfs'),
    new Tracer('containerd', nullExporter),
    new Log('error'),
  );
  await snapshots.open();
  const images = new ImageStore(database, namespaces);
  const containers = new ContainerStore(database, namespaces);
  const leases = new LeaseStore(database, namespaces);
  return { database, content, snapshots, images, containers, leases };
};

type Stores = Awaited<ReturnType<typeof openStores>>;

/** Done already is done. */
const unless = async (kind: string, work: () => unknown): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (kindOf(error) !== kind) throw error;
  }
};

const write = async ({ content }: Stores, digest: Digest, from: number, to: number) => {
  const bytes = BLOBS.get(digest) ?? Buffer.alloc(0);
  const writer = await content.writer(NS, {
    ref: `layer-${digest}`,
    totalBytes: bytes.length,
    expected: digest,
  });
  // What an earlier go has left is hashed and gone on with.
  const { offset } = writer.status();
  for (let at = Math.max(from, offset); at < to; at += 64 * 1024)
    await writer.write(bytes.subarray(at, Math.min(to, at + 64 * 1024)));
  if (to < bytes.length) return writer.close();
  const labels = { 'containerd.io/gc.root': 'yes' };
  await content.commit(NS, writer, { sizeBytes: bytes.length, expected: digest, labels });
};

const image = () =>
  create(ImageSchema, {
    name: 'box:1',
    target: { digest: manifest, size: BigInt(SHORT.length), mediaType: 'application/json' },
  });

const STEPS: Readonly<Record<string, (stores: Stores) => Promise<void>>> = {
  'half a layer': (stores) => unless('already_exists', () => write(stores, layer, 0, 100_000)),
  manifest: (stores) => unless('already_exists', () => write(stores, manifest, 0, SHORT.length)),
  layer: (stores) => unless('already_exists', () => write(stores, layer, 0, LONG.length)),
  labels: async ({ content }) => void content.update(NS, layer, { kept: 'yes' }, ['labels.kept']),
  image: ({ images }) => unless('already_exists', () => images.create(NS, image())),
  lease: ({ leases }) => unless('already_exists', () => leases.create(NS, 'lease', {})),
  'leased layer': async ({ leases }) =>
    leases.addResource(NS, 'lease', { id: layer, type: 'content' }),
  container: ({ containers }) =>
    unless('already_exists', () =>
      containers.create(
        NS,
        create(ContainerSchema, { id: 'box', runtime: { name: 'a.b.c' }, spec: {} }),
      ),
    ),
  snapshot: async ({ snapshots }) => {
    if (snapshots.find(NS, 'chain')) return;
    if (!snapshots.find(NS, 'extract')) await snapshots.prepare(NS, 'extract', '', {});
    const [mount] = snapshots.mounts(NS, 'extract');
    writeFileSync(join(mount?.source ?? '', 'file'), 'unpacked');
    await snapshots.commit(NS, 'chain', 'extract', {});
  },
  child: ({ snapshots }) =>
    unless('already_exists', () => snapshots.prepare(NS, 'box', 'chain', {})),
  removal: async ({ snapshots, images, content }) => {
    await unless('not_found', () => snapshots.remove(NS, 'box'));
    await unless('not_found', () => images.delete(NS, 'box:1'));
    await unless('not_found', () => content.delete(NS, manifest));
  },
};

/** `done` is called when a step has been acknowledged. */
export const runWorkload = async (root: string, done: (step: string) => void): Promise<void> => {
  const stores = await openStores(root);
  for (const [name, step] of Object.entries(STEPS)) {
    await step(stores);
    done(name);
  }
  await stores.database.close();
};

/** What must be there once a step was acknowledged and before the removal began. */
const KEPT: Readonly<Record<string, (stores: Stores) => boolean>> = {
  manifest: ({ content }) => content.has(NS, manifest),
  layer: ({ content }) => content.has(NS, layer),
  labels: ({ content }) => content.find(NS, layer)?.labels['kept'] === 'yes',
  image: ({ images }) => images.list(NS).length === 1,
  lease: ({ leases }) => leases.list(NS, []).length === 1,
  'leased layer': ({ leases }) => leases.listResources(NS, 'lease').length === 1,
  container: ({ containers }) => containers.list(NS).length === 1,
  snapshot: ({ snapshots }) => snapshots.find(NS, 'chain') !== undefined,
  child: ({ snapshots }) => snapshots.find(NS, 'box') !== undefined,
};
/** These the last step takes away, one after the other. */
const REMOVED = new Set(['manifest', 'image', 'child']);

/** What is wrong with the state that a kill has left, after it was opened again; nothing when it is sound. */
export const faultsOf = async (
  root: string,
  acknowledged: readonly string[],
): Promise<string[]> => {
  const faults: string[] = [];
  const stores = await openStores(root);
  const folder = join(root, 'content/blobs/sha256');
  const files = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of files) {
    if (sha256(readFileSync(join(folder, name))) !== `sha256:${name}`)
      faults.push(`blob ${name} is not what its name says`);
  }
  const recorded = stores.content.list(NS);
  for (const { digest, size } of recorded) {
    const bytes = BLOBS.get(digest as Digest);
    if (!files.includes(digest.slice(7)) || BigInt(bytes?.length ?? -1) !== size)
      faults.push(`blob ${digest} has a record and no file of that size`);
  }
  if (files.length !== recorded.length) faults.push('a blob without a record was not removed');
  const isRemoving = acknowledged.includes('child');
  for (const step of acknowledged) {
    if (isRemoving && REMOVED.has(step)) continue;
    if (KEPT[step]?.(stores) === false) faults.push(`${step} was acknowledged and is lost`);
  }
  const folders = readdirSync(join(root, 'overlay/snapshots'));
  const owned = stores.snapshots.list(NS, []);
  if (folders.length !== owned.length)
    faults.push(`${folders.length} folders of ${owned.length} snapshots`);
  await stores.database.close();
  return faults;
};

/** What every go must end in. */
export const endOf = async (root: string): Promise<unknown> => {
  const { database, content, snapshots, images, containers, leases } = await openStores(root);
  const end = {
    blobs: content.list(NS).map(({ digest, labels }) => [digest, labels]),
    ingests: (await content.statuses(NS)).length,
    snapshots: snapshots.list(NS, []).map(({ name, kind }) => [name, kind]),
    images: images.list(NS).length,
    containers: containers.list(NS).map(({ id }) => id),
    leases: leases.list(NS, []).map(({ id }) => [id, leases.listResources(NS, id)]),
  };
  await database.close();
  return end;
};
