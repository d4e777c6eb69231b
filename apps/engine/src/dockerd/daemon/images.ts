/** `docker images`, `docker image inspect`, `docker load`. Upstream: moby daemon/containerd/{image_list,image_inspect}.go. */
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { ImageInspect, ImageSummary } from '../../protocol/docker-engine-api/images.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { LoadedImage } from '../images/image-store.ts';
import { loadImages } from '../images/load.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';

const sizeOf = ({ layers, target }: LoadedImage): number =>
  layers.reduce((sum, { size }) => sum + size, target.size);

const isTag = (name: string): boolean => !name.includes('@') && !name.startsWith('sha256:');

/** `repository@digest` for each repository that has a name for it. */
const repoDigests = (names: readonly string[], digest: string): string[] => [
  ...new Set(
    names
      .filter((name) => !name.startsWith('sha256:'))
      .map((name) => `${familiarName(name.replace(/@.*$|:[^:/]*$/, ''))}@${digest}`),
  ),
];

const wanted = (summary: ImageSummary, filters: Filters): boolean =>
  Object.entries(filters).every(([key, values]) =>
    values.some((value) => {
      if (key === 'dangling')
        return (summary.RepoTags.length === 0) === (value !== 'false' && value !== '0');
      if (key === 'label') {
        const [name = '', text] = value.split(/=(.*)/s, 2);
        return text === undefined ? name in summary.Labels : summary.Labels[name] === text;
      }
      if (key === 'reference') {
        return summary.RepoTags.some(
          (tag) => tag === value || tag.replace(/:[^:/]*$/, '') === value,
        );
      }
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    }),
  );

export const listImages = async (daemon: Daemon, filters: Filters): Promise<ImageSummary[]> => {
  const namesByDigest = new Map<string, string[]>();
  const images = await daemon.imageStore.list();
  for (const { name, target } of images) {
    namesByDigest.set(target.digest, [...(namesByDigest.get(target.digest) ?? []), name]);
  }
  const summaries: ImageSummary[] = [];
  for (const [digest, names] of namesByDigest) {
    const target = images.find((image) => image.target.digest === digest)?.target;
    if (!target) continue;
    const image = await daemon.imageStore.read(target);
    const tags = names.filter(isTag).map(familiarName);
    summaries.push({
      Id: image.id,
      ParentId: '',
      RepoTags: tags,
      RepoDigests: repoDigests(names, digest),
      Created: Math.floor(Date.parse(image.config.created ?? '1970-01-01T00:00:00Z') / 1000),
      Size: sizeOf(image),
      SharedSize: -1,
      Labels: image.config.config?.Labels ?? {},
      Containers: -1,
    });
  }
  return summaries
    .filter((summary) => wanted(summary, filters))
    .sort((left, right) => right.Created - left.Created);
};

export const inspectImage = async (daemon: Daemon, reference: string): Promise<ImageInspect> => {
  const image = await daemon.imageStore.find(reference);
  const names = await daemon.imageStore.names(image.id);
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: names.filter(isTag).map(familiarName),
    RepoDigests: repoDigests(names, image.id),
    Created: config.created ?? '0001-01-01T00:00:00Z',
    Architecture: config.architecture,
    Os: config.os,
    Size: sizeOf(image),
    GraphDriver: { Name: 'overlayfs', Data: null },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Config: config.config ?? {},
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  };
};

export const loadArchive = async (daemon: Daemon, archive: Readable): Promise<string[]> => {
  const sentences = await loadImages(
    daemon.imageStore,
    archive,
    join(daemon.options.dataRoot, 'tmp'),
  );
  for (const sentence of sentences) {
    const name = sentence.replace(/^Loaded image( ID)?: /, '');
    daemon.events.emit({
      Type: 'image',
      Action: 'load',
      Actor: { ID: name, Attributes: { name } },
    });
  }
  return sentences;
};

export const untagImage = async (
  daemon: Daemon,
  reference: string,
): Promise<readonly { readonly Untagged: string }[]> => {
  const image = await daemon.imageStore.find(reference);
  const user = daemon.store.list().find(({ record }) => record.imageId === image.id);
  if (user) {
    throw new EngineError(
      'conflict',
      `conflict: unable to remove repository reference "${reference}" (must force) - container ${user.id.slice(0, 12)} is using its referenced image ${image.id.slice(7, 19)}`,
    );
  }
  const name = canonicalName(parseReference(reference));
  const named = await daemon.images.get(name);
  const names = named ? [name] : await daemon.imageStore.names(image.id);
  for (const each of names) await daemon.images.untag(each);
  return names.map((each) => ({ Untagged: familiarName(each) }));
};
