/**
 * containerd's parts, put together by hand: who gets whom is written here, and in `services/server.ts` for what
 * the outside can call.
 *
 *   services → content, images, snapshots, metadata, runtime, events
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tracer } from '../tracing/tracer.ts';
import type { ProcessCalls } from '../transport/client-processes.ts';
import { BlobStore } from './content/blob-store.ts';
import { ContentStore } from './content/content-store.ts';
import type { BlobApplier } from './diff/apply-blob.ts';
import type { AttributeReader } from './diff/changes.ts';
import type { MountCalls } from './diff/mounted.ts';
import type { SpecialFiles } from './diff/unpack.ts';
import { EventExchange } from './events/exchange.ts';
import { GarbageCollector } from './gc/collector.ts';
import { ImageStore } from './images/image-store.ts';
import type { Log } from './log.ts';
import { ContainerStore } from './metadata/container-store.ts';
import { MetadataDatabase } from './metadata/database.ts';
import { LeaseStore } from './metadata/lease-store.ts';
import { NamespaceStore } from './metadata/namespace-store.ts';
import { Exits } from './runtime/exits.ts';
import { reconnect } from './runtime/reconnect.ts';
import { resolveRuntimePath } from './runtime/runtime-path.ts';
import type { FifoMaker } from './runtime/shim-log.ts';
import { ShimStarter } from './runtime/shim-starter.ts';
import { SpareKeeper, type SpareOptions } from './runtime/spare.ts';
import { TaskManager } from './runtime/task-manager.ts';
import { NativeSnapshotter } from './snapshots/native.ts';
import { OverlaySnapshotter } from './snapshots/overlay.ts';
import { whyNoOverlay } from './snapshots/overlay-support.ts';
import { SnapshotStore } from './snapshots/snapshot-store.ts';
import type { Snapshotter } from './snapshots/snapshotter.ts';

/** What containerd asks of the kernel through the native addon. */
export interface Kernel extends MountCalls, FifoMaker, SpecialFiles, AttributeReader, ProcessCalls {
  readonly spawnDetached: SpareOptions['spawnDetached'];
  /** `chattr +T`: one container's files need not lie beside another's. */
  readonly spreadFolders: (path: string) => boolean;
}

export interface PartsOptions {
  readonly address: string;
  readonly root: string;
  readonly state: string;
  /** Our own launcher, for shims that publish by calling it, and its folder, where our shim lies. */
  readonly ownBinary: string;
  readonly ownFolder: string;
  /** The runtime whose shim is kept warm; undefined keeps none. */
  readonly warmRuntime: string | undefined;
  readonly kernel: Kernel;
  /** Where layers are applied. */
  readonly applyBlob: BlobApplier;
  readonly tracer: Tracer;
  readonly log: Log;
}

export type Parts = Awaited<ReturnType<typeof makeParts>>;

/** Precondition: nobody else serves this root. */
export const makeParts = async (options: PartsOptions) => {
  const { root, state } = options;
  mkdirSync(root, { recursive: true, mode: 0o711 });
  mkdirSync(state, { recursive: true, mode: 0o711 });
  const stores = await openStores(options);
  const events = new EventExchange();
  return {
    ...stores,
    garbage: new GarbageCollector({ ...stores, log: options.log }),
    events,
    uuid: uuidIn(root),
    ...makeRuntime(options, events, stores.containers),
  };
};

const openStores = async (options: PartsOptions) => {
  const { root } = options;
  const database = MetadataDatabase.open(join(root, 'io.containerd.metadata.v1.lmdb'));
  const namespaces = new NamespaceStore(database);
  const blobs = new BlobStore(join(root, 'io.containerd.content.v1.content'));
  await blobs.open();
  const { snapshotters, lacks } = await openSnapshotters(options, database, namespaces);
  const content = new ContentStore(database, namespaces, blobs);
  await content.dropOrphans();
  return {
    database,
    namespaces,
    containers: new ContainerStore(database, namespaces),
    images: new ImageStore(database, namespaces),
    content,
    leases: new LeaseStore(database, namespaces),
    snapshotters,
    lacks,
  };
};

/** What this machine cannot do is left out, and said by name in the list of plugins. */
const openSnapshotters = async (
  { root, kernel, tracer, log }: PartsOptions,
  database: MetadataDatabase,
  namespaces: NamespaceStore,
) => {
  const folderOf = (name: string) => join(root, `io.containerd.snapshotter.v1.${name}`);
  const storeOf = (name: string) => new SnapshotStore(database, namespaces, name);
  const native = new NativeSnapshotter(folderOf('native'), storeOf('native'), tracer, log);
  const overlay = new OverlaySnapshotter(folderOf('overlayfs'), storeOf('overlayfs'), tracer, log);
  const lack = whyNoOverlay(kernel, folderOf('overlayfs'));
  const opened = lack === null ? [overlay, native] : [native];
  for (const snapshotter of opened) {
    await snapshotter.open();
    kernel.spreadFolders(snapshotter.folder);
  }
  return {
    snapshotters: new Map<string, Snapshotter>(opened.map((each) => [each.name, each])),
    lacks: new Map(lack === null ? [] : [[overlay.name, lack]]),
  };
};

const makeRuntime = (options: PartsOptions, events: EventExchange, containers: ContainerStore) => {
  const { address, root, state, ownBinary, ownFolder, warmRuntime, kernel, tracer, log } = options;
  const folders = { root, state };
  const exits = new Exits(events);
  const surroundings = {
    address,
    ttrpcAddress: ttrpcAddressOf(address),
    publishBinary: ownBinary,
    isDebug: log.isDebug,
  };
  const spares = new SpareKeeper({
    folder: join(state, 'spare'),
    shimPath: () => resolveRuntimePath(warmRuntime ?? '', ownFolder),
    surroundings,
    spawnDetached: kernel.spawnDetached,
    log,
    isWanted: warmRuntime !== undefined,
  });
  const shims = new ShimStarter({
    surroundings,
    spares,
    tracer,
    log,
    ownFolder,
    fifos: kernel,
    credentialsOfPeer: kernel.peerCredentials,
  });
  const tasks = new TaskManager({ folders, shims, spares, exits, unmounter: kernel, tracer, log });
  const recover = () =>
    reconnect({ folders, shims, tasks, exits, containers, unmounter: kernel, log });
  return { tasks, spares, recover };
};

/** Where shims send their events: TTRPC_ADDRESS. */
export const ttrpcAddressOf = (address: string): string => `${address}.ttrpc`;

/** The server's name, made once. */
const uuidIn = (root: string): string => {
  const path = join(root, 'uuid');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    const uuid = randomUUID();
    writeFileSync(path, `${uuid}\n`);
    return uuid;
  }
};
