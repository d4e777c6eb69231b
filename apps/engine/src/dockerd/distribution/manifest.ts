/**
 * From what a registry calls an image to the one manifest for a platform.
 * Upstream: moby daemon/internal/distribution/pull_v2.go. Reference: https://github.com/opencontainers/image-spec
 */
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  MANIFEST_LIMIT_BYTES,
  OCI_INDEX,
  OCI_MANIFEST,
  type RawManifest,
  type Registry,
} from './registry.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty for any. */
  readonly variant: string;
}

/** Docker's own limit is the kernel's: so many layers can be mounted over one another. */
const MAX_LAYERS = 127;
const MAX_PLATFORMS = 256;
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const ALIAS: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
const SCHEMA_1 = /^application\/(vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)|json)$/;

const DescriptorJson = z.object({
  mediaType: z.string().max(255),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  platform: z
    .object({ os: z.string(), architecture: z.string(), variant: z.string().default('') })
    .optional(),
});
const Index = z.object({ manifests: z.array(DescriptorJson).max(MAX_PLATFORMS) });
const Manifest = z.object({
  config: DescriptorJson,
  layers: z.array(DescriptorJson).max(MAX_LAYERS),
});

export const hostPlatform = (): Platform => ({
  os: 'linux',
  architecture: ARCHITECTURE[process.arch] ?? process.arch,
  variant: '',
});

/** `linux/arm64/v8`, or the architecture alone. Null for none given. */
export const parsePlatform = (text: string): Platform | null => {
  if (text === '') return null;
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part))) {
    throw new EngineError(
      'invalid_argument',
      `"${text}" is an invalid OS component of "${text}": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$": invalid argument`,
    );
  }
  const [first = '', second, variant = ''] = parts;
  if (second === undefined && first !== 'linux') {
    return { os: 'linux', architecture: ALIAS[first] ?? first, variant };
  }
  const architecture = second ?? hostPlatform().architecture;
  return { os: first, architecture: ALIAS[architecture] ?? architecture, variant };
};

export interface Resolved {
  /** What the name points to: an index, or the manifest itself. */
  readonly top: RawManifest;
  readonly manifest: RawManifest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const parse = <T extends z.ZodType>(schema: T, { bytes, digest }: RawManifest): z.output<T> => {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new EngineError('invalid_argument', `manifest ${digest} is not valid`, { cause: error });
  }
};

export const resolve = async (
  registry: Registry,
  reference: string,
  platform: Platform,
): Promise<Resolved> => {
  const top = await registry.manifest(reference);
  const isIndex = top.mediaType === OCI_INDEX || top.mediaType === DOCKER_LIST;
  const manifest = isIndex ? await chosen(registry, top, platform) : top;
  if (SCHEMA_1.test(manifest.mediaType)) {
    throw new EngineError(
      'invalid_argument',
      '[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. Suggest the author of the image to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2.',
    );
  }
  if (manifest.mediaType !== OCI_MANIFEST && manifest.mediaType !== DOCKER_MANIFEST) {
    throw new EngineError('invalid_argument', `unsupported media type ${manifest.mediaType}`);
  }
  const { config, layers } = parse(Manifest, manifest);
  if (config.size > MANIFEST_LIMIT_BYTES) {
    throw new EngineError('invalid_argument', `image configuration ${config.digest} is too large`);
  }
  return { top, manifest, config, layers };
};

const chosen = async (
  registry: Registry,
  index: RawManifest,
  { os, architecture, variant }: Platform,
): Promise<RawManifest> => {
  const match = parse(Index, index).manifests.find(
    ({ platform }) =>
      platform?.os === os &&
      platform.architecture === architecture &&
      (variant === '' || platform.variant === variant),
  );
  if (!match) {
    const name = `${os}/${architecture}${variant === '' ? '' : `/${variant}`}`;
    throw new EngineError(
      'not_found',
      `no matching manifest for ${name} in the manifest list entries`,
    );
  }
  return registry.manifest(match.digest);
};

const ConfigPlatform = z.object({
  os: z.string().default(''),
  architecture: z.string().default(''),
  variant: z.string().default(''),
});

/** What it runs on: an index says so itself, of a single image its configuration does. */
export const platformsOf = async (
  registry: Registry,
  manifest: RawManifest,
): Promise<readonly Platform[]> => {
  if (manifest.mediaType === OCI_INDEX || manifest.mediaType === DOCKER_LIST) {
    return parse(Index, manifest).manifests.flatMap(({ platform }) => platform ?? []);
  }
  const { config } = parse(Manifest, manifest);
  if (config.size > MANIFEST_LIMIT_BYTES) return [];
  const pieces: Buffer[] = [];
  for await (const piece of registry.blob(config)) pieces.push(piece);
  try {
    const platform = ConfigPlatform.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    return platform.os === '' && platform.architecture === '' ? [] : [platform];
  } catch {
    // A configuration that is none: the image is there all the same.
    return [];
  }
};
