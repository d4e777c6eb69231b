/**
 * `docker create`: a container is a name, a configuration and a writable layer. Nothing runs yet.
 * Upstream: moby daemon/create.go.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  Healthcheck as HealthcheckSchema,
  type Healthcheck,
} from '../../protocol/docker-engine-api/containers.ts';
import type {
  ContainerConfig,
  ContainerCreateResponse,
  HostConfig,
} from '../../protocol/docker-engine-api/containers.ts';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import { currentContext } from '../../tracing/context.ts';
import { newRecord, NO_NETWORK, type Link } from '../container/container.ts';
import { checkName, generateName } from '../container/names.ts';
import type { ImageConfig, LoadedImage } from '../images/image-store.ts';
import type { EndpointSettings } from '../libnetwork/endpoint.ts';
import type { Mount } from '../containerd-client/tasks.ts';
import { unpackImage } from '../images/unpack.ts';
import type { MountPoint } from '../volumes/mount-points.ts';
import { withImageEnvironment } from '../oci/environment.ts';
import { DEFAULT_SHM_BYTES, MASKED_PATHS, READONLY_PATHS } from '../oci/mounts.ts';
import { commandLine } from '../oci/spec.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { withinKernel } from './kernel-limits.ts';
import { legacyLinks } from './links.ts';
import { copyUp, mountPointsOf, prepareVolumes, releaseVolumes } from './mounts.ts';
import { endpointSettings, type AskedNetworks } from './network-settings.ts';
import { fixedNetworkMode, networkLender } from './network-mode.ts';
import { fixedMode } from './shared-namespaces.ts';
import { validate } from './validate.ts';

export interface CreateRequest {
  /** From `?name=`; empty for a made-up one. */
  readonly name: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  /** What was asked of each network, by its name. */
  readonly networks: AskedNetworks;
}

const SHORT_ID = 12;

/** What the user left open, the image decides. */
export const mergeConfig = (
  user: ContainerConfig,
  image: ImageConfig['config'],
): ContainerConfig => {
  // An entrypoint of the user's does away with the image's arguments; [""] does away with the entrypoint.
  const ownEntrypoint = user.Entrypoint !== null && user.Entrypoint.length > 0;
  const isReset = user.Entrypoint?.length === 1 && user.Entrypoint[0] === '';
  const userCmd = user.Cmd !== null && user.Cmd.length > 0 ? user.Cmd : null;
  return {
    ...user,
    User: user.User || (image?.User ?? ''),
    Env: withImageEnvironment(user.Env, image?.Env ?? []),
    Entrypoint: isReset ? null : ownEntrypoint ? user.Entrypoint : (image?.Entrypoint ?? null),
    Cmd: userCmd ?? (ownEntrypoint ? null : (image?.Cmd ?? null)),
    WorkingDir: user.WorkingDir || (image?.WorkingDir ?? ''),
    Labels: { ...image?.Labels, ...user.Labels },
    ExposedPorts: { ...image?.ExposedPorts, ...user.ExposedPorts },
    Volumes: { ...image?.Volumes, ...user.Volumes },
    Healthcheck: mergeHealthcheck(user.Healthcheck, image?.['Healthcheck']),
    StopSignal: user.StopSignal || (image?.StopSignal ?? ''),
  };
};

/** Field by field; an image's check that is no check is none. */
const mergeHealthcheck = (
  user: Healthcheck | undefined,
  ofImage: unknown,
): Healthcheck | undefined => {
  const image = HealthcheckSchema.safeParse(ofImage).data;
  if (!user || !image) return user ?? image;
  return {
    Test: user.Test.length > 0 ? user.Test : image.Test,
    Interval: user.Interval || image.Interval,
    Timeout: user.Timeout || image.Timeout,
    StartPeriod: user.StartPeriod || image.StartPeriod,
    StartInterval: user.StartInterval || image.StartInterval,
    Retries: user.Retries || image.Retries,
  };
};

const complete = (daemon: Daemon, host: HostConfig, config: ContainerConfig): HostConfig => ({
  ...host,
  NetworkMode: fixedNetworkMode(daemon, host.NetworkMode),
  IpcMode: fixedMode(daemon, host.IpcMode || 'private'),
  PidMode: fixedMode(daemon, host.PidMode),
  CgroupnsMode: host.CgroupnsMode || 'private',
  // Memory and swap together: Docker allows as much of one as of the other.
  MemorySwap: host.MemorySwap || host.Memory * 2,
  ShmSize: host.ShmSize || DEFAULT_SHM_BYTES,
  LogConfig: { Type: host.LogConfig.Type || 'json-file', Config: host.LogConfig.Config },
  RestartPolicy: { ...host.RestartPolicy, Name: host.RestartPolicy.Name || 'no' },
  Runtime: host.Runtime || daemon.runtimes.defaultName,
  ConsoleSize: config.Tty ? host.ConsoleSize : [0, 0],
  MaskedPaths: host.MaskedPaths ?? (host.Privileged ? null : MASKED_PATHS),
  ReadonlyPaths: host.ReadonlyPaths ?? (host.Privileged ? null : READONLY_PATHS),
});

/** A client before API 1.44 asks for the address of its only interface beside everything else. */
const settingsOf = (
  { NetworkMode }: HostConfig,
  { NetworkDisabled, MacAddress }: ContainerConfig,
  networks: AskedNetworks,
): readonly EndpointSettings[] => {
  if (NetworkDisabled) return [];
  const [main, ...others] = endpointSettings(NetworkMode, networks);
  return main ? [{ ...main, mac: main.mac || MacAddress }, ...others] : [];
};

/** Who shares a network shares the name that is known there. */
const hostnameFor = (daemon: Daemon, id: string, { NetworkMode, UTSMode }: HostConfig): string => {
  if (NetworkMode === 'host' || UTSMode === 'host') return hostname();
  return networkLender(daemon, NetworkMode)?.record.config.Hostname ?? id.slice(0, SHORT_ID);
};

export const create = async (
  daemon: Daemon,
  { name, config: asked, host: wanted, networks }: CreateRequest,
): Promise<ContainerCreateResponse> => {
  // A missing image comes first: it is what makes the client pull and ask again.
  const image = await daemon.imageStore.find(asked.Image);
  validate(asked, wanted);
  const { host: askedHost, warnings } = withinKernel(wanted);
  daemon.runtimes.check(askedHost.Runtime);
  const given = name === '' ? null : checkName(name);
  const merged = mergeConfig(asked, image.config.config);
  const points = mountPointsOf(daemon, merged, askedHost);
  if (commandLine(merged).length === 0 || commandLine(merged)[0] === '') {
    throw new EngineError('invalid_argument', 'no command specified');
  }
  const id = randomBytes(32).toString('hex');
  const config = { ...merged, Hostname: merged.Hostname || hostnameFor(daemon, id, askedHost) };
  const host = complete(daemon, askedHost, config);
  const settings = settingsOf(host, config, networks);
  const links = legacyLinks(daemon, host);
  const chosen = given ?? generateName((taken) => daemon.store.hasName(taken));
  daemon.store.reserveName(chosen, id);
  try {
    await makeContainer(daemon, {
      id,
      name: chosen,
      config,
      host,
      image,
      points,
      settings,
      links,
    });
  } catch (error) {
    daemon.store.releaseName(chosen);
    throw error;
  }
  return { Id: id, Warnings: warnings };
};

const makeContainer = async (
  daemon: Daemon,
  made: {
    readonly id: string;
    readonly name: string;
    readonly config: ContainerConfig;
    readonly host: HostConfig;
    readonly image: LoadedImage;
    readonly points: readonly MountPoint[];
    readonly settings: readonly EndpointSettings[];
    readonly links: readonly Link[];
  },
): Promise<void> => {
  const { id, name, config, host, image, points, settings, links } = made;
  const [path = '', ...args] = commandLine(config);
  const layer = await prepareLayer(daemon, id, image);
  let mountPoints: readonly MountPoint[] = [];
  try {
    mountPoints = await prepareVolumes(daemon, id, points);
    await copyUp(daemon, id, mountPoints);
    const record = newRecord({
      id,
      name,
      created: new Date().toISOString(),
      config,
      imageId: image.id,
      imageRef: config.Image,
      isAutoRemove: host.AutoRemove,
      path,
      args,
      mountPoints,
      network: { ...NO_NETWORK, settings },
      ...(links.length > 0 ? { links } : {}),
      createdIn: currentContext() ?? null,
    });
    const container = await daemon.store.add(record, host);
    container.layer = layer;
    daemon.events.emit(containerEvent(container, 'create'));
  } catch (error) {
    await releaseVolumes(daemon, id, { mountPoints, removesAnonymous: true });
    await daemon.images.removeSnapshot(id).catch(() => undefined);
    throw error;
  }
};

/** The writable layer over the image's. Layers that somebody took away are unpacked again. */
const prepareLayer = async (daemon: Daemon, id: string, image: LoadedImage): Promise<Mount[]> => {
  const prepare = () => daemon.images.prepareSnapshot(id, image.chainId, { isKept: true });
  try {
    return await prepare();
  } catch (error) {
    if (kindOf(error) !== 'not_found') throw error;
    try {
      await daemon.images.withLease((client) => unpackImage(client, image));
      return await prepare();
    } catch (again) {
      // Not `not_found`: the client would take it for a missing image and pull.
      throw new EngineError(
        'internal',
        `the layers of image ${image.id} are missing: ${messageOf(again)}`,
        { cause: again },
      );
    }
  }
};
