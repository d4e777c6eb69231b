/** containerd's two sockets: gRPC for clients, ttrpc for the events of shims. What is served is listed here. */
import { tmpdir } from 'node:os';
import { Containers } from '../../protocol/gen/containerd/containers_pb.ts';
import { Content } from '../../protocol/gen/containerd/content_pb.ts';
import { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import type { Envelope } from '../../protocol/gen/containerd/envelope_pb.ts';
import { Events } from '../../protocol/gen/containerd/events_pb.ts';
import { Health } from '../../protocol/gen/containerd/health_pb.ts';
import { Images } from '../../protocol/gen/containerd/images_pb.ts';
import { Introspection } from '../../protocol/gen/containerd/introspection_pb.ts';
import { Leases } from '../../protocol/gen/containerd/leases_pb.ts';
import { Namespaces } from '../../protocol/gen/containerd/namespaces_pb.ts';
import { Snapshots } from '../../protocol/gen/containerd/snapshots_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import { Version } from '../../protocol/gen/containerd/version_pb.ts';
import { Events as TtrpcEvents } from '../../protocol/gen/task/events-ttrpc_pb.ts';
import { ClientProcesses, CONTAINERD_CLIENTS } from '../../transport/client-processes.ts';
import { createGrpcServer, type GrpcServer } from '../../transport/grpc-server.ts';
import { TtrpcServer } from '../../transport/ttrpc-server.ts';
import { EventTeller } from '../events/teller.ts';
import { makeParts, ttrpcAddressOf, type Parts, type PartsOptions } from '../parts.ts';
import { containersService } from './containers.ts';
import { contentService } from './content.ts';
import { diffService } from './diff.ts';
import { eventsService, ttrpcEventsService } from './events.ts';
import { healthService } from './health.ts';
import { imagesService } from './images.ts';
import { introspectionService } from './introspection.ts';
import { leasesService } from './leases.ts';
import { namespacesService } from './namespaces.ts';
import { snapshotsService } from './snapshots.ts';
import { tasksService } from './tasks.ts';
import { versionService } from './version.ts';

export interface Containerd {
  /** Stops serving. Shims and their containers live on. */
  close(): Promise<void>;
}

/** How long calls that are running may take to finish. */
const GRACE_MS = 1000;

/** Resolves when calls are answered. */
export const startContainerd = async (options: PartsOptions): Promise<Containerd> => {
  const parts = await makeParts(options);
  const { tasks, spares, database, garbage } = parts;
  const forward = (envelope: Envelope) => tasks.forward(envelope);
  const ttrpc = new TtrpcServer({ tracer: options.tracer });
  ttrpc.add(TtrpcEvents, ttrpcEventsService(forward), __SOURCE__);
  const clients = new ClientProcesses(options.tracer, options.kernel, CONTAINERD_CLIENTS);
  const grpc = createGrpcServer({ tracer: options.tracer, clients });
  addServices(grpc, parts, forward, options);

  // Shims first: they may have waited to tell of an exit while no containerd was there.
  await ttrpc.listen(ttrpcAddressOf(options.address));
  await parts.recover();
  // What was found again is told before anybody can ask.
  void options.tracer.flush();
  await grpc.listen(options.address, 0o660);
  spares.touch(0);
  garbage.touch();
  return {
    close: async () => {
      spares.stop();
      await Promise.all([grpc.close(GRACE_MS), ttrpc.close()]);
      await tasks.settled();
      await garbage.close();
      for (const snapshotter of parts.snapshotters.values()) await snapshotter.settled();
      tasks.close();
      await database.close();
    },
  };
};

const addServices = (
  grpc: GrpcServer,
  parts: Parts,
  forward: (envelope: Envelope) => void,
  { kernel, tracer, applyBlob }: PartsOptions,
): void => {
  const { events, tasks, spares, uuid, lacks } = parts;
  const hasTask = (namespace: string, id: string) => tasks.has(namespace, id);
  const foresee = (config: Uint8Array) => spares.foresee(config);
  const holds = (namespace: string) => contentsOf(parts, namespace);
  const mounted = { calls: kernel, folder: tmpdir() };
  const teller = new EventTeller(tracer);
  grpc
    .add(Version, versionService())
    .add(Health, healthService())
    .add(Introspection, introspectionService({ uuid, lacks }))
    .add(Namespaces, namespacesService({ ...parts, holds }), __SOURCE__)
    .add(Containers, containersService({ ...parts, hasTask, foresee }), __SOURCE__)
    .add(Content, contentService({ ...parts, tracer }), __SOURCE__)
    .add(Images, imagesService(parts), __SOURCE__)
    .add(Snapshots, snapshotsService(parts), __SOURCE__)
    .add(Diff, diffService({ ...parts, tracer, applyBlob, files: kernel, mounted }), __SOURCE__)
    .add(Leases, leasesService(parts), __SOURCE__)
    .add(Tasks, tasksService(parts), __SOURCE__)
    .add(Events, eventsService({ events, forward, teller }), __SOURCE__);
};

/** What keeps a namespace from being deleted. */
const contentsOf = (
  { containers, images, content, snapshotters }: Parts,
  namespace: string,
): string[] => {
  const counts = {
    containers: containers.list(namespace).length,
    images: images.list(namespace).length,
    content: content.list(namespace).length,
    snapshots: [...snapshotters.values()].flatMap((each) => each.list(namespace, [])).length,
  };
  return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [what] : []));
};
