import { create } from '@bufbuild/protobuf';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ContainerSchema } from '../../protocol/gen/containerd/containers_pb.ts';
import { ImageSchema } from '../../protocol/gen/containerd/images_pb.ts';
import { nullExporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { BlobStore } from '../content/blob-store.ts';
import { ContentStore } from '../content/content-store.ts';
import { digestOf } from '../content/digest.ts';
import { ImageStore } from '../images/image-store.ts';
import { Log } from '../log.ts';
import { ContainerStore } from '../metadata/container-store.ts';
import { MetadataDatabase } from '../metadata/database.ts';
import { LeaseStore } from '../metadata/lease-store.ts';
import { NamespaceStore } from '../metadata/namespace-store.ts';
import { OverlaySnapshotter } from '../snapshots/overlay.ts';
import { SnapshotStore } from '../snapshots/snapshot-store.ts';
import { GarbageCollector } from './collector.ts';

const NS = 'moby';
const REF = 'containerd.io/gc.ref';
let root: string;
let database: MetadataDatabase;
let parts: Awaited<ReturnType<typeof makeParts>>;

const makeParts = async () => {
  const namespaces = new NamespaceStore(database);
  const blobs = new BlobStore(join(root, 'content'));
  await blobs.open();
  const overlay = new OverlaySnapshotter(
    join(root, 'overlay'),
    new SnapshotStore(database, namespaces, 'overlayfs'),
    new Tracer('containerd', nullExporter),
    new Log('error'),
  );
  await overlay.open();
  const stores = {
    namespaces,
    blobs,
    overlay,
    images: new ImageStore(database, namespaces),
    containers: new ContainerStore(database, namespaces),
    leases: new LeaseStore(database, namespaces),
    content: new ContentStore(database, namespaces, blobs),
    snapshotters: new Map([[overlay.name, overlay]]),
  };
  return { ...stores, garbage: new GarbageCollector({ ...stores, log: new Log('error') }) };
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gc-'));
  database = MetadataDatabase.open(join(root, 'meta'));
  parts = await makeParts();
});
afterEach(async () => {
  await parts.garbage.close();
  await database.close();
  rmSync(root, { recursive: true, force: true });
});

const put = async (text: string, labels: Record<string, string> = {}, namespace = NS) => {
  const writer = await parts.content.writer(namespace, {
    ref: text,
    totalBytes: text.length,
    expected: undefined,
  });
  await writer.write(Buffer.from(text));
  return parts.content.commit(namespace, writer, {
    sizeBytes: text.length,
    expected: undefined,
    labels,
  });
};
const layer = async (name: string, parent = '', labels: Record<string, string> = {}) => {
  await parts.overlay.prepare(NS, `unpack ${name}`, parent, {});
  await parts.overlay.commit(NS, name, `unpack ${name}`, labels);
};
const image = (name: string, digest: string, labels: Record<string, string> = {}) =>
  parts.images.create(
    NS,
    create(ImageSchema, { name, labels, target: { digest, size: 1n, mediaType: 'm' } }),
  );
const blobs = () => parts.content.list(NS).map(({ digest }) => digest);
const files = () => readdirSync(join(root, 'content/blobs/sha256')).map((hex) => `sha256:${hex}`);
const snapshots = () => parts.overlay.list(NS, []).map(({ name }) => name);
const folders = () => readdirSync(join(root, 'overlay/snapshots'));

test('an image keeps its manifest, its blobs and its layers; without the image all of it goes', async () => {
  await layer('one');
  await layer('two', 'one');
  const config = await put('config', { [`${REF}.snapshot.overlayfs`]: 'two' });
  const blob = await put('layer');
  const manifest = await put('manifest', {
    [`${REF}.content.config`]: config,
    [`${REF}.content.l.0`]: blob,
  });
  await put('nobody points here');
  await layer('nobody stands here');
  image('box', manifest);

  await parts.garbage.collect();
  expect(new Set(blobs())).toEqual(new Set([manifest, config, blob]));
  expect(new Set(files())).toEqual(new Set([manifest, config, blob]));
  expect(snapshots()).toEqual(['one', 'two']);
  expect(folders()).toHaveLength(2);

  parts.images.delete(NS, 'box');
  await parts.garbage.collect();
  expect([blobs(), files(), snapshots(), folders()]).toEqual([[], [], [], []]);
});

test('a container keeps its snapshot and what that stands on, a root label whatever carries it', async () => {
  await layer('base');
  await parts.overlay.prepare(NS, 'container', 'base', {});
  await parts.overlay.prepare(NS, 'kept', '', { 'containerd.io/gc.root': 'now' });
  await parts.overlay.prepare(NS, 'lost', 'base', {});
  const kept = await put('kept', { 'containerd.io/gc.root': 'now' });
  parts.containers.create(
    NS,
    create(ContainerSchema, {
      id: 'c',
      snapshotter: 'overlayfs',
      snapshotKey: 'container',
      runtime: { name: 'r' },
      spec: { typeUrl: 't' },
    }),
  );

  await parts.garbage.collect();

  expect(snapshots()).toEqual(['base', 'container', 'kept']);
  expect(blobs()).toEqual([kept]);
});

test('a lease holds what it names and what that needs, until it is over', async () => {
  const needed = await put('needed');
  const leased = await put('leased', { [`${REF}.content.0`]: needed });
  await layer('leased');
  parts.leases.create(NS, 'short', {
    'containerd.io/gc.expire': new Date(Date.now() + 3_600_000).toISOString(),
  });
  parts.leases.addResource(NS, 'short', { type: 'content', id: leased });
  parts.leases.addResource(NS, 'short', { type: 'snapshots/overlayfs', id: 'leased' });

  await parts.garbage.collect();
  expect(blobs().sort()).toEqual([leased, needed].sort());
  expect(snapshots()).toEqual(['leased']);

  parts.leases.delete(NS, 'short');
  parts.leases.create(NS, 'over', { 'containerd.io/gc.expire': '2001-01-01T00:00:00Z' });
  parts.leases.addResource(NS, 'over', { type: 'content', id: leased });
  await parts.garbage.collect();
  expect([blobs(), snapshots(), parts.leases.list(NS, [])]).toEqual([[], [], []]);
});

test('a flat lease does not hold what its blobs need', async () => {
  const needed = await put('needed');
  const leased = await put('leased', { [`${REF}.content.0`]: needed });
  parts.leases.create(NS, 'flat', { 'containerd.io/gc.flat': 'yes' });
  parts.leases.addResource(NS, 'flat', { type: 'content', id: leased });

  await parts.garbage.collect();

  expect(blobs()).toEqual([leased]);
});

test('bytes that another namespace still names stay on disk', async () => {
  const digest = await put('shared');
  await put('shared', { 'containerd.io/gc.root': 'now' }, 'other');

  await parts.garbage.collect();

  expect(blobs()).toEqual([]);
  expect(parts.content.has('other', digest)).toBe(true);
  expect(files()).toEqual([digest]);
});

test('a collection in the middle of writes loses nothing that was answered', async () => {
  parts.leases.create(NS, 'lease', {});
  const call = { metadata: new Map([['containerd-lease', 'lease']]) };
  const write = async (text: string) => {
    parts.leases.hold(NS, call, { type: 'content', id: digestOf(text) });
    return put(text);
  };
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index % 20}`);
  const written = texts.map(async (text) => {
    // The same bytes may be there already, be on their way, or be removed at this very moment.
    const digest = await write(text).catch(() => undefined);
    return digest;
  });
  for (let round = 0; round < 20; round += 1) await parts.garbage.collect();

  const digests = (await Promise.all(written)).filter((digest) => digest !== undefined);
  await parts.garbage.collect();

  expect(digests.length).toBeGreaterThan(0);
  for (const digest of digests) {
    expect(parts.content.has(NS, digest)).toBe(true);
    expect(files()).toContain(digest);
  }
});

test('bytes without a name and ingests that nobody goes on with are swept', async () => {
  const digest = await put('named', { 'containerd.io/gc.root': 'now' });
  const orphan = await parts.blobs.writer({ ref: 'orphan' });
  await orphan.write(Buffer.from('orphan'));
  await orphan.commit(6, undefined);
  const begun = await parts.blobs.writer({ ref: `${NS}/begun` });
  await begun.close();
  const stale = await parts.blobs.writer({ ref: `${NS}/stale` });
  await stale.write(Buffer.from('stale'));
  await stale.close();
  const ingests = join(root, 'content/ingest');
  const { ref } = await parts.content.status(NS, 'stale');
  for (const name of readdirSync(ingests)) {
    const isStale = name === digestOf(`${NS}/${ref}`).slice('sha256:'.length);
    if (!isStale) continue;
    utimesSync(join(ingests, name, 'data'), 0, 0);
    writeFileSync(join(ingests, name, 'updatedat'), '0');
  }

  await parts.content.dropOrphans();
  await parts.garbage.collect();

  expect(files()).toEqual([digest]);
  expect((await parts.content.statuses(NS)).map((status) => status.ref)).toEqual(['begun']);
});

test('a collection covers the deletions before it: what is made afterwards is not in danger of theirs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    parts.garbage.touch();
    await parts.garbage.collect();
    await layer('made afterwards');
    await vi.runAllTimersAsync();
    expect(snapshots()).toEqual(['made afterwards']);

    parts.garbage.touch();
    await vi.runAllTimersAsync();
    expect(snapshots()).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
