/**
 * `docker commit`: what a container has changed becomes one more layer on its image.
 * Upstream: moby daemon/commit.go, daemon/containerd/image_commit.go.
 */
import { randomUUID } from 'node:crypto';
import type { ContainerConfig } from '../../protocol/docker-engine-api/containers.ts';
import type { Container } from '../container/container.ts';
import { isRunning } from '../container/container-state.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient } from '../containerd-client/images.ts';
import { composeImage } from '../images/compose.ts';
import type { ImageConfig, LoadedImage } from '../images/image-store.ts';
import { familiarName } from '../images/reference.ts';
import { withChanges } from './config-changes.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { newName } from './image-tag.ts';
import { pause, unpause } from './pause.ts';

export interface CommitRequest {
  readonly repository: string;
  readonly tag: string;
  readonly comment: string;
  readonly author: string;
  readonly isPaused: boolean;
  readonly changes: readonly string[];
}

/** The digest of a tar without an entry: a layer that would change nothing is none. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

export const commit = async (
  daemon: Daemon,
  container: Container,
  request: CommitRequest,
): Promise<string> => {
  const name = newName(request.repository, request.tag);
  const image = await daemon.imageStore.find(container.record.imageId);
  const settings = withChanges(settingsOf(container.record.config), request.changes);
  const isStopping =
    request.isPaused && isRunning(container.state) && container.state.status !== 'paused';
  const id = await daemon.images.withLease(async (client) => {
    // One that ends at this moment needs no pause.
    const isStopped =
      isStopping &&
      (await pause(daemon, container).then(
        () => true,
        () => false,
      ));
    let layer: Descriptor;
    try {
      layer = await differenceOf(client, container, image);
    } finally {
      if (isStopped) await unpause(daemon, container);
    }
    const labels = await client.blobLabels(layer.digest);
    const diffId = labels['containerd.io/uncompressed'] ?? layer.digest;
    const isEmpty = diffId === EMPTY_LAYER;
    return composeImage(daemon.imageStore, client, {
      config: committed(image.config, {
        container,
        request,
        settings,
        diffId: isEmpty ? null : diffId,
      }),
      layers: isEmpty ? image.layers : [...image.layers, layer],
      name,
    });
  });
  daemon.events.emit(
    containerEvent(container, 'commit', {
      comment: request.comment,
      imageID: id,
      imageRef: name === null ? '' : familiarName(name),
    }),
  );
  return id;
};

const differenceOf = async (
  client: ImageClient,
  container: Container,
  image: LoadedImage,
): Promise<Descriptor> => {
  const view = `commit-${randomUUID()}`;
  const lower = await client.viewSnapshot(view, image.chainId);
  try {
    return await client.createDiff(lower, await client.snapshotMounts(container.id));
  } finally {
    await client.removeSnapshot(view);
  }
};

/** What of a container's configuration an image keeps. */
const settingsOf = (config: ContainerConfig): NonNullable<ImageConfig['config']> => ({
  User: config.User,
  Env: config.Env,
  Cmd: config.Cmd,
  Entrypoint: config.Entrypoint,
  WorkingDir: config.WorkingDir,
  Labels: config.Labels,
  ...(Object.keys(config.ExposedPorts).length > 0 ? { ExposedPorts: config.ExposedPorts } : {}),
  ...(Object.keys(config.Volumes).length > 0 ? { Volumes: config.Volumes } : {}),
  ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
  ...(config.StopSignal === '' ? {} : { StopSignal: config.StopSignal }),
});

const committed = (
  base: ImageConfig,
  {
    container,
    request,
    settings,
    diffId,
  }: {
    readonly container: Container;
    readonly request: CommitRequest;
    readonly settings: NonNullable<ImageConfig['config']>;
    /** Null when nothing was changed. */
    readonly diffId: string | null;
  },
): ImageConfig => {
  const created = new Date().toISOString();
  const { path, args } = container.record;
  const step = {
    created,
    ...(request.author === '' ? {} : { author: request.author }),
    created_by: [path, ...args].join(' '),
    ...(request.comment === '' ? {} : { comment: request.comment }),
    ...(diffId === null ? { empty_layer: true } : {}),
  };
  const diffIds = base.rootfs.diff_ids;
  return {
    ...base,
    created,
    ...(request.author === '' ? {} : { author: request.author }),
    config: settings,
    rootfs: { type: 'layers', diff_ids: diffId === null ? diffIds : [...diffIds, diffId] },
    history: [...(base.history ?? []), step],
  };
};
