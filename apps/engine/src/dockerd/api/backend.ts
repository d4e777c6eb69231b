/**
 * What the API asks of the daemon. The API knows HTTP and this; the daemon knows neither.
 * Upstream: moby daemon/server/router/*\/backend.go.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type {
  ContainerConfig,
  ContainerCreateResponse,
  ContainerSummary,
  HostConfig,
  UpdateBody,
  WaitCondition,
} from '../../protocol/docker-engine-api/containers.ts';
import type { ExecCreateBody, ExecInspect } from '../../protocol/docker-engine-api/exec.ts';
import type { EventMessage } from '../../protocol/docker-engine-api/events.ts';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';
import type {
  DeletedImage,
  HistoryItem,
  ImageInspect,
  ImageSummary,
} from '../../protocol/docker-engine-api/images.ts';
import type {
  NetworkAnswer,
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkDisconnectBody,
  NetworkingConfig,
} from '../../protocol/docker-engine-api/networks.ts';
import type { VolumeAnswer, VolumeCreateBody } from '../../protocol/docker-engine-api/volumes.ts';

/** `reference` is a name, an id, or the beginning of an id. Errors are Docker's sentences. */
export interface ContainerBackend {
  /** The trace that created the container, for requests that come back to it; null when there is none. */
  origin?(reference: string): { readonly id: string; readonly traceId: string | null } | null;
  create(request: {
    readonly name: string;
    readonly config: ContainerConfig;
    readonly host: HostConfig;
    readonly networks: NetworkingConfig['EndpointsConfig'];
  }): Promise<ContainerCreateResponse>;
  start(reference: string): Promise<void>;
  stop(
    reference: string,
    options: { readonly timeoutSeconds: number | null; readonly signal: string },
  ): Promise<void>;
  restart(
    reference: string,
    options: { readonly timeoutSeconds: number | null; readonly signal: string },
  ): Promise<void>;
  kill(reference: string, signal: string): Promise<void>;
  pause(reference: string): Promise<void>;
  unpause(reference: string): Promise<void>;
  remove(
    reference: string,
    options: { readonly isForced: boolean; readonly removesVolumes: boolean },
  ): Promise<void>;
  /** `parent/alias`. */
  removeLink(name: string): Promise<void>;
  rename(reference: string, to: string): Promise<void>;
  resize(
    reference: string,
    size: { readonly height: number; readonly width: number },
  ): Promise<void>;
  inspect(reference: string, options: { readonly hasSize: boolean }): Promise<unknown>;
  list(options: {
    readonly isAll: boolean;
    readonly limit: number;
    readonly filters: Filters;
  }): ContainerSummary[];
  /** Throws at once when there is no such container; what it answers waits. */
  wait(
    reference: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly cause: string | null }>;
  /** Throws when it cannot be attached to. `accept` then turns the connection into a stream. */
  attach(
    reference: string,
    options: AttachRequest,
    accept: (container: { readonly isTerminal: boolean }) => Duplex,
  ): Promise<void>;
  logs(
    reference: string,
    query: LogsRequest,
    signal: AbortSignal,
  ): Promise<{
    readonly isTerminal: boolean;
    readonly entries: AsyncIterable<{ stream: StreamName; time: string; bytes: Buffer }>;
  }>;
}

/** What a container is made of and uses. */
export interface MeasureBackend {
  top(
    reference: string,
    psArgs: string,
  ): Promise<{
    readonly Titles: readonly string[];
    readonly Processes: readonly (readonly string[])[];
  }>;
  /** Throws at once when there is no such container. What it answers takes one reading after the other. */
  stats(reference: string): () => Promise<{
    readonly answer: unknown;
    /** It does not run. */
    readonly isOver: boolean;
    /** It was removed. */
    readonly isGone: boolean;
  }>;
  /** Answers warnings. */
  update(reference: string, asked: UpdateBody): Promise<readonly string[]>;
  pruneContainers(filters: Filters): Promise<{
    readonly ContainersDeleted: readonly string[];
    readonly SpaceReclaimed: number;
  }>;
}

/** A container's file system, from outside. */
export interface ArchiveBackend {
  statPath(reference: string, path: string): Promise<unknown>;
  getArchive(
    reference: string,
    path: string,
    accept: (stat: unknown, archive: AsyncIterable<unknown>) => Promise<void>,
  ): Promise<void>;
  putArchive(
    reference: string,
    archive: Readable,
    options: { readonly path: string; readonly keepsKinds: boolean; readonly takesOwner: boolean },
  ): Promise<void>;
  exportContainer(
    reference: string,
    accept: (archive: AsyncIterable<unknown>) => Promise<void>,
  ): Promise<void>;
  changes(reference: string): Promise<readonly unknown[]>;
}

/** `id` is an exec's whole id. */
export interface ExecBackend {
  /** The container that an exec runs in, as `origin` tells of it. */
  execOrigin?(id: string): { readonly id: string; readonly traceId: string | null } | null;
  createExec(reference: string, config: ExecCreateBody): Promise<string>;
  /** Throws when it cannot be started. `accept` then turns the connection into a stream, unless detached. */
  startExec(
    id: string,
    options: {
      readonly isDetached: boolean;
      readonly consoleSize: readonly number[];
      /** Bytes as they come, and not in frames: who starts it says so, whatever it was made with. */
      readonly isRaw: boolean;
      readonly accept: () => Duplex;
    },
  ): Promise<void>;
  inspectExec(id: string): ExecInspect;
  resizeExec(id: string, size: { readonly height: number; readonly width: number }): Promise<void>;
}

export interface AttachRequest {
  readonly hasStdin: boolean;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
  readonly hasLogs: boolean;
  readonly hasStream: boolean;
  /** stdout and stderr in frames, so that they stay apart; a terminal has only one of them. */
  readonly isMultiplexed: boolean;
  /** Empty for Docker's own. */
  readonly detachKeys: string;
}

export interface LogsRequest {
  readonly tail: number | null;
  readonly since: number;
  readonly until: number;
  readonly isFollowing: boolean;
}

export interface ImageBackend {
  listImages(filters: Filters): Promise<ImageSummary[]>;
  inspectImage(reference: string): Promise<ImageInspect>;
  loadImages(archive: Readable): Promise<string[]>;
  /** Throws what is wrong before the first line is told; afterwards it throws in the middle of the stream. */
  pullImage(request: {
    readonly name: string;
    readonly tag: string;
    readonly platform: string;
    readonly auth: string | undefined;
    readonly tell: (message: ProgressMessage) => void;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** The same: it throws before the first line, or in the middle. */
  pushImage(request: {
    readonly name: string;
    readonly tag: string;
    readonly auth: string | undefined;
    readonly tell: (message: ProgressMessage) => void;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** Answers the id of the new image. */
  importImage(request: {
    readonly archive: Readable;
    readonly repository: string;
    readonly tag: string;
    readonly message: string;
    readonly platform: string;
    readonly changes: readonly string[];
  }): Promise<string>;
  commit(
    reference: string,
    request: {
      readonly repository: string;
      readonly tag: string;
      readonly comment: string;
      readonly author: string;
      readonly isPaused: boolean;
      readonly changes: readonly string[];
    },
  ): Promise<string>;
  /** What a registry has under this name. */
  inspectDistribution(
    name: string,
    options: { readonly auth: string | undefined; readonly signal: AbortSignal },
  ): Promise<unknown>;
  tagImage(
    reference: string,
    to: { readonly repository: string; readonly tag: string },
  ): Promise<void>;
  imageHistory(reference: string): Promise<readonly HistoryItem[]>;
  /** Finds the images first, so that what is missing is an error and not half an archive. */
  saveImages(references: readonly string[]): Promise<(out: Writable) => Promise<void>>;
  removeImage(
    reference: string,
    options: { readonly isForced: boolean },
  ): Promise<readonly DeletedImage[]>;
  pruneImages(filters: Filters): Promise<{
    readonly ImagesDeleted: readonly DeletedImage[] | null;
    readonly SpaceReclaimed: number;
  }>;
}

export interface SystemBackend {
  /** Tells whether the registry takes the credentials. */
  login(
    credentials: {
      readonly username: string;
      readonly password: string;
      readonly identitytoken: string;
      readonly registrytoken: string;
    },
    address: string,
  ): Promise<unknown>;
  readonly engineVersion: string;
  version(): Promise<unknown>;
  info(): Promise<unknown>;
  pastEvents(since: number, until: number): EventMessage[];
  diskUsage(
    types: ReadonlySet<'container' | 'image' | 'volume' | 'build-cache'>,
  ): Promise<Readonly<Record<string, unknown>>>;
  listen(listener: (event: EventMessage) => void): () => void;
  eventMatches(event: EventMessage, filters: Filters): boolean;
}

export interface NetworkBackend {
  listNetworks(filters: Filters): readonly NetworkAnswer[];
  inspectNetwork(reference: string): NetworkAnswer;
  createNetwork(
    request: NetworkCreateBody,
  ): Promise<{ readonly id: string; readonly warning: string }>;
  removeNetwork(reference: string): Promise<void>;
  pruneNetworks(filters: Filters): Promise<readonly string[]>;
  connectNetwork(reference: string, request: NetworkConnectBody): Promise<void>;
  disconnectNetwork(reference: string, request: NetworkDisconnectBody): Promise<void>;
}

export interface VolumeBackend {
  listVolumes(filters: Filters): VolumeAnswer[];
  inspectVolume(name: string): VolumeAnswer;
  createVolume(request: VolumeCreateBody): Promise<VolumeAnswer>;
  removeVolume(name: string, options: { readonly isForced: boolean }): Promise<void>;
  /** `takesNamed`: what older clients mean by prune. */
  pruneVolumes(
    filters: Filters,
    options: { readonly takesNamed: boolean },
  ): Promise<{ readonly VolumesDeleted: readonly string[]; readonly SpaceReclaimed: number }>;
}

export type Backend = ContainerBackend &
  ExecBackend &
  MeasureBackend &
  ArchiveBackend &
  ImageBackend &
  NetworkBackend &
  VolumeBackend &
  SystemBackend;
