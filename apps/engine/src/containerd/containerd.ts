/**
 * containerd's parts, put together by hand: who gets whom is written here and nowhere else.
 *
 *   services → content, images, snapshots, metadata, runtime, events
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Containers } from '../protocol/gen/containerd/containers_pb.ts';
import { Content } from '../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../protocol/gen/containerd/diff_pb.ts';
import { Events } from '../protocol/gen/containerd/events_pb.ts';
import { Health } from '../protocol/gen/containerd/health_pb.ts';
import { Images } from '../protocol/gen/containerd/images_pb.ts';
import { Introspection } from '../protocol/gen/containerd/introspection_pb.ts';
import { Leases } from '../protocol/gen/containerd/leases_pb.ts';
import { Namespaces } from '../protocol/gen/containerd/namespaces_pb.ts';
import { Snapshots } from '../protocol/gen/containerd/snapshots_pb.ts';
import { Tasks } from '../protocol/gen/containerd/tasks_pb.ts';
import { Version } from '../protocol/gen/containerd/version_pb.ts';
import { Events as TtrpcEvents } from '../protocol/gen/task/events-ttrpc_pb.ts';
import type { Envelope } from '../protocol/gen/containerd/envelope_pb.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { createGrpcServer } from '../transport/grpc-server.ts';
import { TtrpcServer } from '../transport/ttrpc-server.ts';
import type { CredentialsOfPeer } from '../transport/unix-socket.ts';
import { BlobStore } from './content/blob-store.ts';
import { ContentStore } from './content/content-store.ts';
import { specialFiles } from './diff/special-files.ts';
import type { MountCalls } from './diff/mounted.ts';
import { EventExchange } from './events/exchange.ts';
import { EventTeller } from './events/teller.ts';
import { ImageStore } from './images/image-store.ts';
import type { Log } from './log.ts';
import { ContainerStore } from './metadata/container-store.ts';
import { MetadataDatabase } from './metadata/database.ts';
import { LeaseStore } from './metadata/lease-store.ts';
import { NamespaceStore } from './metadata/namespace-store.ts';
import { Exits } from './runtime/exits.ts';
import { reconnect } from './runtime/reconnect.ts';
import { resolveRuntimePath } from './runtime/runtime-path.ts';
import { ShimStarter } from './runtime/shim-starter.ts';
import type { FifoMaker } from './runtime/shim-log.ts';
import { SpareKeeper, type SpareOptions } from './runtime/spare.ts';
import { TaskManager } from './runtime/task-manager.ts';
import { containersService } from './services/containers.ts';
import { contentService } from './services/content.ts';
import { diffService } from './services/diff.ts';
import { eventsService, ttrpcEventsService } from './services/events.ts';
import { healthService } from './services/health.ts';
import { imagesService } from './services/images.ts';
import { introspectionService } from './services/introspection.ts';
import { leasesService } from './services/leases.ts';
import { namespacesService } from './services/namespaces.ts';
import { snapshotsService } from './services/snapshots.ts';
import { tasksService } from './services/tasks.ts';
import { versionService } from './services/version.ts';
import { OverlaySnapshotter } from './snapshots/overlay.ts';
import { SnapshotStore } from './snapshots/snapshot-store.ts';

/** What containerd asks of the kernel through the native addon. */
export interface Kernel extends MountCalls, FifoMaker {
  readonly spawnDetached: SpareOptions['spawnDetached'];
  readonly peerCredentials: CredentialsOfPeer;
}

export interface ContainerdOptions {
  readonly address: string;
  readonly root: string;
  readonly state: string;
  /** Our own launcher, for shims that publish by calling it, and its folder, where our shim lies. */
  readonly ownBinary: string;
  readonly ownFolder: string;
  /** The runtime whose shim is kept warm; undefined keeps none. */
  readonly warmRuntime: string | undefined;
  readonly kernel: Kernel;
  readonly tracer: Tracer;
  readonly log: Log;
}

export interface Containerd {
  readonly tasks: TaskManager;
  readonly spares: SpareKeeper;
  /** Stops serving. Shims and their containers live on. */
  close(): Promise<void>;
}

/** Precondition: nobody else serves this root. Resolves when calls are answered. */
export const startContainerd = async (options: ContainerdOptions): Promise<Containerd> => {
  const { address, root, state, kernel, tracer, log } = options;
  mkdirSync(root, { recursive: true, mode: 0o711 });
  mkdirSync(state, { recursive: true, mode: 0o711 });
  const ttrpcAddress = `${address}.ttrpc`;
  const stores = await openStores(root, tracer);
  const events = new EventExchange();
  const exits = new Exits(events);
  const surroundings = { address, ttrpcAddress, publishBinary: options.ownBinary, isDebug: log.isDebug };
  const spares = new SpareKeeper({
    folder: join(state, 'spare'),
    shimPath: () => resolveRuntimePath(options.warmRuntime ?? '', options.ownFolder),
    surroundings,
    spawnDetached: kernel.spawnDetached,
    log,
    isWanted: options.warmRuntime !== undefined,
  });
  const folders = { root, state };
  const shims = new ShimStarter({
    ...{ surroundings, spares, tracer, log },
    ownFolder: options.ownFolder,
    fifos: kernel,
    credentialsOfPeer: kernel.peerCredentials,
  });
  const tasks = new TaskManager({ folders, shims, spares, exits, unmounter: kernel, tracer, log });
  const forward = (envelope: Envelope) => tasks.forward(envelope);

  const ttrpc = new TtrpcServer({ tracer }).add(TtrpcEvents, ttrpcEventsService(forward), __SOURCE__);
  const grpc = createGrpcServer({ tracer })
    .add(Version, versionService())
    .add(Health, healthService())
    .add(Introspection, introspectionService(uuidIn(root)))
    .add(Namespaces, namespacesService({ namespaces: stores.namespaces, events, holds: stores.holds }), __SOURCE__)
    .add(Containers, containersService({ ...stores, events, hasTask: (namespace, id) => tasks.has(namespace, id) }), __SOURCE__)
    .add(Content, contentService({ ...stores, events }), __SOURCE__)
    .add(Images, imagesService({ ...stores, events }), __SOURCE__)
    .add(Snapshots, snapshotsService({ snapshotters: new Map([[stores.overlay.name, stores.overlay]]), events }), __SOURCE__)
    .add(
      Diff,
      diffService({ ...stores, tracer, special: specialFiles(kernel.mkfifo), mounted: { calls: kernel, folder: tmpdir() } }),
      __SOURCE__,
    )
    .add(Leases, leasesService(stores.leases), __SOURCE__)
    .add(Tasks, tasksService({ ...stores, tasks, spares }), __SOURCE__)
    .add(Events, eventsService({ events, forward, teller: new EventTeller(tracer) }), __SOURCE__);

  // Shims first: they may have waited to tell of an exit while no containerd was there.
  await ttrpc.listen(ttrpcAddress);
  await reconnect({ ...stores, folders, shims, tasks, exits, unmounter: kernel, log });
  await grpc.listen(address, 0o660);
  spares.touch(0);
  return {
    tasks,
    spares,
    close: async () => {
      spares.stop();
      await Promise.all([grpc.close(GRACE_MS), ttrpc.close()]);
      await tasks.settled();
      tasks.close();
      await stores.database.close();
    },
  };
};

const GRACE_MS = 1000;

const openStores = async (root: string, tracer: Tracer) => {
  const database = MetadataDatabase.open(join(root, 'io.containerd.metadata.v1.lmdb'));
  const namespaces = new NamespaceStore(database);
  const blobs = new BlobStore(join(root, 'io.containerd.content.v1.content'));
  await blobs.open();
  const overlay = new OverlaySnapshotter(
    join(root, 'io.containerd.snapshotter.v1.overlayfs'),
    new SnapshotStore(database, namespaces, 'overlayfs'),
    tracer,
  );
  await overlay.open();
  const containers = new ContainerStore(database, namespaces);
  const images = new ImageStore(database, namespaces);
  const content = new ContentStore(database, namespaces, blobs);
  const leases = new LeaseStore(database, namespaces);
  const holds = (namespace: string): string[] =>
    Object.entries({
      containers: containers.list(namespace).length,
      images: images.list(namespace).length,
      content: content.list(namespace).length,
      snapshots: overlay.list(namespace, []).length,
    }).flatMap(([what, count]) => (count > 0 ? [what] : []));
  return { database, namespaces, containers, images, content, leases, overlay, holds };
};

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
