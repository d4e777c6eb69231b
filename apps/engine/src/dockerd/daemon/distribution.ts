/**
 * What a registry has under a name, without pulling it (`docker manifest inspect`, `docker trust`).
 * Upstream: moby daemon/server/router/distribution.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { platformsOf, type Platform } from '../distribution/manifest.ts';
import { parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';
import { registriesOf } from './registries.ts';

export interface DistributionAnswer {
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
  };
  readonly Platforms: readonly Partial<Platform>[];
}

export const inspectDistribution = async (
  daemon: Daemon,
  name: string,
  { auth, signal }: { readonly auth: string | undefined; readonly signal: AbortSignal },
): Promise<DistributionAnswer> => {
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw new EngineError('internal', 'no manifest found for full image ID');
  }
  const { repository, tag, digest: wanted } = parseReference(name);
  const fromAny = await registriesOf(daemon, repository, { auth, signal });
  return fromAny(async (registry) => {
    const manifest = await registry.manifest(wanted ?? tag ?? 'latest');
    const { mediaType, digest, size } = manifest;
    return {
      Descriptor: { mediaType, digest, size },
      Platforms: (await platformsOf(registry, manifest)).map(({ os, architecture, variant }) => ({
        architecture,
        os,
        ...(variant === '' ? {} : { variant }),
      })),
    };
  });
};
