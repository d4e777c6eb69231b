/** What every verb of the daemon works with. Upstream: moby daemon/daemon.go. */
import type { Native } from '../../../../../native/native.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import type { ContainerStore } from '../container/container-store.ts';
import type { ExecStore } from '../container/exec.ts';
import type { Runtimes } from '../container/runtimes.ts';
import type { Storage } from '../containerd-client/channel.ts';
import type { ExecClient } from '../containerd-client/execs.ts';
import type { RegistryOptions } from '../distribution/endpoint.ts';
import type { MeasureClient } from '../containerd-client/measures.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import type { TaskClient } from '../containerd-client/tasks.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { NetworkController } from '../libnetwork/controller.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';
import type { EventLog } from './events.ts';

export interface DaemonOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly cgroupParent: string;
  /** May change while we run: SIGHUP has daemon.json read again. */
  isLiveRestore: boolean;
  readonly registries: RegistryOptions;
  /** Lines of `docker info` about how the API can be reached. */
  readonly accessWarnings: readonly string[];
}

export interface Daemon {
  readonly options: DaemonOptions;
  readonly storage: Storage;
  readonly channel: GrpcChannel;
  readonly tasks: TaskClient;
  readonly execClient: ExecClient;
  readonly measures: MeasureClient;
  readonly images: ImageClient;
  readonly imageStore: ImageStore;
  readonly store: ContainerStore;
  readonly execs: ExecStore;
  readonly runtimes: Runtimes;
  readonly volumes: VolumeStore;
  readonly networks: NetworkController;
  readonly events: EventLog;
  readonly tracer: Tracer;
  readonly native: Pick<
    Native,
    'mkfifo' | 'open' | 'splice' | 'watchReadable' | 'mount' | 'unmount'
  >;
  readonly lifecycle: { isShuttingDown: boolean };
  /** Aborted when dockerd goes. */
  readonly signal: AbortSignal;
}
