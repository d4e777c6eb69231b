/**
 * From a name, or an id, to what is needed to run: configuration and layers.
 * Upstream: moby daemon/containerd/image.go. Reference: https://github.com/opencontainers/image-spec
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import type { ImageClient, NamedImage } from '../containerd-client/images.ts';
import { canonicalName, familiarName, parseReference } from './reference.ts';

const MAX_JSON_BYTES = 4 * 1024 * 1024;
const INDEX_TYPES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const DescriptorJson = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
});
export const ImageIndex = z.object({ manifests: z.array(DescriptorJson) });
const Manifest = z.object({ config: DescriptorJson, layers: z.array(DescriptorJson) });

const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);
/** The image's configuration: defaults for the container, and the digests of its unpacked layers. */
export const ImageConfig = z.looseObject({
  created: z.string().optional(),
  architecture: z.string(),
  os: z.string(),
  config: z
    .looseObject({
      User: z.string().optional(),
      Env: strings,
      Cmd: strings,
      Entrypoint: strings,
      WorkingDir: z.string().optional(),
      Labels: z.record(z.string(), z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      StopSignal: z.string().optional(),
    })
    .nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(z.string()) }),
  author: z.string().optional(),
  variant: z.string().optional(),
  /** What made each layer; steps that changed no file have `empty_layer`. */
  history: z
    .array(
      z.looseObject({
        created: z.string().optional(),
        created_by: z.string().optional(),
        author: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .nullish(),
});
export type ImageConfig = z.output<typeof ImageConfig>;

export interface LoadedImage {
  /** Digest of what the name points to: the id that `docker images` shows. */
  readonly id: string;
  readonly target: Descriptor;
  /** Of this platform; the target itself when that is no index. */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  readonly configDigest: string;
  readonly layers: readonly Descriptor[];
  /** Name of the snapshot that holds all layers. */
  readonly chainId: string;
}

/** A layer's snapshot is named for the layer and all below it. image-spec/config.md#layer-chainid */
export const chainIds = (diffIds: readonly string[]): string[] => {
  const ids: string[] = [];
  for (const diffId of diffIds) {
    const below = ids.at(-1);
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    ids.push(below === undefined ? diffId : `sha256:${hash(`${below} ${diffId}`)}`);
  }
  return ids;
};

export class ImageStore {
  readonly client: ImageClient;
  /** Blobs never change, so what was read once stays true. */
  readonly #byDigest = new Map<string, Promise<LoadedImage>>();

  constructor(client: ImageClient) {
    this.client = client;
  }

  /** Errors are Docker's: `No such image: busybox:latest`. */
  async find(reference: string): Promise<LoadedImage> {
    // A name wins over an id that begins the same, unless it says that it is one.
    const isId = /^(sha256:)?[0-9a-f]{64}$|^sha256:/.test(reference);
    const name = isId ? reference : canonicalName(parseReference(reference));
    const image = isId ? null : await this.client.get(name);
    const target = image?.target ?? (await this.#findById(reference));
    if (!target) throw new EngineError('not_found', `No such image: ${familiarName(name)}`);
    return this.read(target);
  }

  async names(digest: string): Promise<string[]> {
    const all = await this.client.list();
    return all.filter(({ target }) => target.digest === digest).map(({ name }) => name);
  }

  /**
   * Gives the image a name. Whatever had the name before and has no other stays as a dangling image, named by its
   * digest: `docker images` shows it as `<none>`.
   */
  async tag(client: ImageClient, name: string, target: Descriptor): Promise<void> {
    const before = await client.get(name);
    if (before && before.target.digest !== target.digest) {
      const { digest } = before.target;
      const others = (await this.names(digest)).filter((each) => each !== name);
      if (others.length === 0) await client.tag(digest, before.target);
    }
    await client.tag(name, target);
    // Not dangling any more.
    if (name !== target.digest && (await client.get(target.digest)))
      await client.untag(target.digest);
  }

  async list(): Promise<NamedImage[]> {
    return this.client.list();
  }

  read(target: Descriptor): Promise<LoadedImage> {
    const known = this.#byDigest.get(target.digest);
    if (known) return known;
    const image = this.#read(target);
    this.#byDigest.set(target.digest, image);
    image.catch(() => this.#byDigest.delete(target.digest));
    return image;
  }

  /** The image is gone; should it come back, it is read anew. */
  forget(digest: string): void {
    this.#byDigest.delete(digest);
  }

  async #findById(reference: string): Promise<Descriptor | null> {
    const hex = reference.replace(/^sha256:/, '');
    if (!/^[0-9a-f]{4,64}$/.test(hex)) return null;
    const all = await this.client.list();
    const matches = all.filter(({ target }) => target.digest.startsWith(`sha256:${hex}`));
    const digests = new Set(matches.map(({ target }) => target.digest));
    return digests.size === 1 ? (matches[0]?.target ?? null) : null;
  }

  async #json(digest: string): Promise<unknown> {
    return JSON.parse((await this.client.readBlob(digest, MAX_JSON_BYTES)).toString('utf8'));
  }

  async #read(target: Descriptor): Promise<LoadedImage> {
    const described = await this.#manifestOf(target);
    const manifest = Manifest.parse(await this.#json(described.digest));
    const config = ImageConfig.parse(await this.#json(manifest.config.digest));
    return {
      id: target.digest,
      target,
      manifest: described,
      config,
      configDigest: manifest.config.digest,
      layers: manifest.layers,
      chainId: chainIds(config.rootfs.diff_ids).at(-1) ?? '',
    };
  }

  /** An index names one manifest per platform: ours is taken. */
  async #manifestOf(target: Descriptor): Promise<Descriptor> {
    if (!INDEX_TYPES.has(target.mediaType)) return target;
    const { manifests } = ImageIndex.parse(await this.#json(target.digest));
    const architecture = ARCHITECTURE[process.arch] ?? process.arch;
    const ours = manifests.find(
      ({ platform }) =>
        !platform || (platform.os === 'linux' && platform.architecture === architecture),
    );
    if (!ours) {
      throw new EngineError(
        'not_found',
        `no matching manifest for linux/${architecture} in the manifest list entries`,
      );
    }
    return { mediaType: ours.mediaType, digest: ours.digest, size: ours.size };
  }
}
