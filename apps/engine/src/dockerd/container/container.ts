/**
 * One container as dockerd knows it: what was asked for, how it is, and who waits for it.
 * Upstream: moby daemon/container/container.go.
 */
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { Mount } from '../containerd-client/tasks.ts';
import type { MountPoint } from '../volumes/mount-points.ts';
import type { Endpoint, EndpointSettings } from '../libnetwork/endpoint.ts';
import type { PublishedPort } from '../libnetwork/port-mapper.ts';
import { logFile } from '../logger/container-log.ts';
import { OutputHub } from '../logger/output-hub.ts';
import { spanStartedId } from '../../protocol/trace/event-id.ts';
import { currentContext, type SpanContext } from '../../tracing/context.ts';
import { INITIAL_STATE, type ContainerState } from './container-state.ts';
import type { ContainerRun } from './container-run.ts';
import type { Health } from './health.ts';
import { BackOff } from './restart-policy.ts';

/** What is written to disk beside the HostConfig. */
export interface ContainerRecord {
  readonly id: string;
  readonly created: string;
  readonly config: ContainerConfig;
  /** Digest of the image's manifest, and its chain of layers: the image's name may move on. */
  readonly imageId: string;
  readonly imageRef: string;
  readonly isAutoRemove: boolean;
  readonly name: string;
  readonly state: ContainerState;
  readonly path: string;
  readonly args: readonly string[];
  readonly restartCount: number;
  /** By a user, since its last start: `unless-stopped` asks. */
  readonly hasBeenStopped?: boolean;
  /** Volumes and folders of the host; missing in notes of an older engine. */
  readonly mountPoints?: readonly MountPoint[];
  /** Missing in notes of an older engine. */
  readonly network?: ContainerNetwork;
  /** `--link` on the default bridge; missing where there is none. */
  readonly links?: readonly Link[];
  /** The trace that created it, and the one that last started it: exits are told there. */
  readonly createdIn: SpanContext | null;
  readonly startedIn: SpanContext | null;
}

/** Another container, and the name that it has for this one. */
export interface Link {
  readonly childId: string;
  /** As it was called when the link was made: a link to somebody who has gone is still there. */
  readonly childName: string;
  readonly alias: string;
}

/** The networks that it belongs to, and what it has got of them while it runs. */
export interface ContainerNetwork {
  readonly settings: readonly EndpointSettings[];
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
}

export const NO_NETWORK: ContainerNetwork = { settings: [], endpoints: [], ports: [] };

export interface ExitResult {
  readonly exitCode: number;
  /** The event of the trace that made it known; null outside of any trace. */
  readonly cause: string | null;
}

export class Container {
  readonly id: string;
  /** Its folder below the data root. */
  readonly directory: string;
  hostConfig: HostConfig;
  record: ContainerRecord;
  /** FIFOs and log of the running container; null when it does not run. */
  run: ContainerRun | null = null;
  /** containerd has a task (or half of one) of ours that must be deleted before the container can go. */
  hasTask = false;
  /** containerd has a record of it: from its start on, until its task is gone. */
  hasRecord = false;
  /** A start has failed, and containerd was away when its task was to be taken back: the client was told that nothing runs. */
  isTaskUnwanted = false;
  /** True while a removal is on its way, so that only one is. */
  isRemoving = false;
  /** In the middle of `docker restart`: its end is not the end, not even with --rm. */
  isRestartedByHand = false;
  /** How its writable layer and its image are mounted; null when this dockerd has not asked containerd yet. */
  layer: readonly Mount[] | null = null;
  hub = new OutputHub();
  /** A user has ended it: no policy starts it again. */
  isToStay = false;
  readonly backOff = new BackOff();
  /** Between two runs: what calls the next one off. */
  pendingRestart: AbortController | null = null;
  /** Null where nothing is checked. */
  health: Health | null = null;
  stopsHealth: AbortController | null = null;
  readonly #exitWaiters = new Set<(result: ExitResult) => void>();
  readonly #removalWaiters = new Set<(result: ExitResult) => void>();
  readonly #startWaiters = new Set<() => void>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, record: ContainerRecord, hostConfig: HostConfig) {
    this.id = record.id;
    this.directory = directory;
    this.record = record;
    this.hostConfig = hostConfig;
  }

  get name(): string {
    return this.record.name;
  }
  get state(): ContainerState {
    return this.record.state;
  }
  get mountPoints(): readonly MountPoint[] {
    return this.record.mountPoints ?? [];
  }
  /** The trace that made it: what is done without a request goes back to there. */
  get links(): readonly { readonly traceId: string }[] {
    return this.record.createdIn ? [{ traceId: this.record.createdIn.traceId }] : [];
  }
  /** Null where nothing is logged. */
  get logFile(): string | null {
    return logFile(this.hostConfig.LogConfig, this.directory, this.id);
  }

  /** One change at a time: the next begins when this one is through. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when what is being changed now is through: whoever asks in the middle of a start means what comes of it. */
  settled(): Promise<void> {
    return this.exclusively(() => Promise.resolve());
  }

  /** Resolves at the next exit. */
  nextExit(signal?: AbortSignal): Promise<ExitResult> {
    return waitIn(this.#exitWaiters, signal);
  }
  removal(signal?: AbortSignal): Promise<ExitResult> {
    return waitIn(this.#removalWaiters, signal);
  }
  /** Resolves when a run has its stdin. */
  nextStart(signal: AbortSignal): Promise<void> {
    return waitIn(this.#startWaiters, signal);
  }

  hasStarted(): void {
    settle(this.#startWaiters, undefined);
  }
  hasExited(): void {
    settle(this.#exitWaiters, this.#result());
  }
  wasRemoved(): void {
    // Whoever waits for an exit of a container that never ran would wait for ever.
    settle(this.#exitWaiters, this.#result());
    settle(this.#removalWaiters, this.#result());
  }

  #result(): ExitResult {
    const context = currentContext();
    return {
      exitCode: this.state.exitCode,
      cause: context ? spanStartedId(context.spanId) : null,
    };
  }
}

export const newRecord = (
  fields: Omit<ContainerRecord, 'state' | 'restartCount' | 'startedIn'>,
): ContainerRecord => ({ ...fields, state: INITIAL_STATE, restartCount: 0, startedIn: null });

/** Never settles after an abort: whoever aborted does not listen any more. */
const waitIn = <T>(waiters: Set<(value: T) => void>, signal?: AbortSignal): Promise<T> =>
  new Promise((resolve) => {
    waiters.add(resolve);
    signal?.addEventListener('abort', () => waiters.delete(resolve), { once: true });
  });

const settle = <T>(waiters: Set<(value: T) => void>, value: T): void => {
  const all = [...waiters];
  waiters.clear();
  for (const resolve of all) resolve(value);
};
