/**
 * `docker images`, `docker image inspect`, `docker load`, `docker save`.
 * Upstream: moby daemon/containerd/{image_list,image_inspect,image_exporter}.go.
 */
import type { Readable, Writable } from 'node:stream';
import { join } from 'node:path';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { ImageInspect, ImageSummary } from '../../protocol/docker-engine-api/images.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { loadImages } from '../images/load.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import { saveImages, type SavedImage } from '../images/save.ts';
import type { Daemon } from './daemon.ts';
import { isTag, repoDigests, sizeOf } from './image-names.ts';
import { parseUntil } from './prune.ts';

type Matcher = (
  summary: ImageSummary,
  values: readonly string[],
  all: readonly ImageSummary[],
) => boolean;

const createdOf = (all: readonly ImageSummary[], reference: string): number => {
  const name = familiarName(canonicalName(parseReference(reference)));
  const found = all.find(({ RepoTags, Id }) => RepoTags.includes(name) || Id.startsWith(reference));
  if (found) return found.Created;
  throw new EngineError('not_found', `No such image: ${name}`);
};

const hasLabel = ({ Labels }: ImageSummary, label: string): boolean => {
  const [name = '', text] = label.split(/=(.*)/s, 2);
  return Object.hasOwn(Labels, name) && (text === undefined || Labels[name] === text);
};

/** `filters/*`, `busybox:1.*`: as a shell matches, over the name with its tag, or over the name alone. */
const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  );

/** Of an image with many names, only those that were asked for are listed. */
const withNames = (
  summary: ImageSummary,
  patterns: readonly string[] | undefined,
): ImageSummary => {
  if (!patterns) return summary;
  const globs = patterns.map(globOf);
  const isWanted = (name: string): boolean =>
    globs.some((glob) => glob.test(name) || glob.test(name.replace(/@.*$|:[^:/]*$/, '')));
  const { RepoTags, RepoDigests } = summary;
  return {
    ...summary,
    RepoTags: RepoTags.filter(isWanted),
    RepoDigests: RepoDigests.filter(isWanted),
  };
};

const FILTERS: Readonly<Record<string, Matcher>> = {
  dangling: (summary, values) =>
    values.some(
      (value) => (summary.RepoTags.length === 0) === (value !== 'false' && value !== '0'),
    ),
  label: (summary, values) => values.every((label) => hasLabel(summary, label)),
  'label!': (summary, values) => !values.some((label) => hasLabel(summary, label)),
  // What does not match was taken away before.
  reference: ({ RepoTags, RepoDigests }) => RepoTags.length + RepoDigests.length > 0,
  before: (summary, values, all) =>
    values.every((value) => summary.Created < createdOf(all, value)),
  since: (summary, values, all) => values.every((value) => summary.Created > createdOf(all, value)),
  until: (summary, values) => values.every((value) => summary.Created < parseUntil(value)),
};

const matcherOf = (filters: Filters, all: readonly ImageSummary[]) => {
  for (const key of Object.keys(filters)) {
    if (!Object.hasOwn(FILTERS, key))
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
  }
  return (summary: ImageSummary): boolean =>
    Object.entries(filters).every(([key, values]) => FILTERS[key]?.(summary, values, all) ?? false);
};

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
    .map((summary) => withNames(summary, filters['reference']))
    .filter(matcherOf(filters, summaries))
    .sort((left, right) => right.Created - left.Created);
};

export const inspectImage = async (daemon: Daemon, reference: string): Promise<ImageInspect> => {
  const image = await daemon.imageStore.find(reference);
  const names = await daemon.imageStore.names(image.id);
  const { config, target } = image;
  const lastStep = config.history?.at(-1);
  return {
    Id: image.id,
    RepoTags: names.filter(isTag).map(familiarName),
    RepoDigests: repoDigests(names, image.id),
    Created: config.created ?? '0001-01-01T00:00:00Z',
    Architecture: config.architecture,
    Os: config.os,
    Size: sizeOf(image),
    GraphDriver: { Name: daemon.storage.snapshotter, Data: null },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Config: config.config ?? {},
    Author: config.author ?? '',
    Comment: lastStep?.comment ?? '',
    Parent: '',
    DockerVersion: '',
    Descriptor: { mediaType: target.mediaType, digest: target.digest, size: target.size },
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

/** Each by a name, a repository (all of its tags) or an id. */
export const saveArchive = async (
  daemon: Daemon,
  references: readonly string[],
): Promise<(out: Writable) => Promise<void>> => {
  const images: SavedImage[] = [];
  const all = await daemon.imageStore.list();
  for (const reference of references) {
    const image = await daemon.imageStore.find(reference);
    const isId = /^(sha256:)?[0-9a-f]{64}$|^sha256:/.test(reference);
    const name = isId ? '' : canonicalName(parseReference(reference));
    const names = all.some((each) => each.name === name && isTag(name)) ? [name] : [];
    const known = images.find((each) => each.image.id === image.id);
    if (known) images.splice(images.indexOf(known), 1);
    images.push({ image, names: [...new Set([...(known?.names ?? []), ...names])] });
  }
  return async (out) => {
    await saveImages(daemon.imageStore, images, out);
    for (const { image } of images) {
      daemon.events.emit({
        Type: 'image',
        Action: 'save',
        Actor: { ID: image.id, Attributes: { name: image.id } },
      });
    }
  };
};
