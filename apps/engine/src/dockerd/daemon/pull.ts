/** `docker pull`, and what `docker run` asks for when the image is not here. Upstream: moby daemon/images/image_pull.go. */
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { parseRegistryAuth } from '../distribution/credentials.ts';
import { endpointsOf } from '../distribution/endpoint.ts';
import { parsePlatform } from '../distribution/manifest.ts';
import { pull } from '../distribution/pull.ts';
import { Registry } from '../distribution/registry.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';

export interface PullRequest {
  readonly name: string;
  /** A tag or a digest; empty for all tags of the name. */
  readonly tag: string;
  readonly platform: string;
  /** `X-Registry-Auth` as it came. */
  readonly auth: string | undefined;
  readonly tell: (message: ProgressMessage) => void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

const RETRY_DELAY_MS = 500;
const MOST_TAGS = 1000;

export const pullImage = async (daemon: Daemon, request: PullRequest): Promise<void> => {
  const { name, tag, tell } = request;
  const separator = tag.startsWith('sha256:') ? '@' : ':';
  const reference = parseReference(tag === '' ? name : `${name}${separator}${tag}`);
  const isWhole =
    tag === '' &&
    familiarName(canonicalName(reference)).endsWith(':latest') &&
    !name.endsWith(':latest');
  const platform = parsePlatform(request.platform);
  const slash = reference.repository.indexOf('/');
  // Also ends what is still being fetched when one part fails.
  const over = new AbortController();
  const registry = new Registry({
    endpoints: await endpointsOf(reference.repository.slice(0, slash), daemon.options.registries),
    repository: reference.repository.slice(slash + 1),
    credentials: parseRegistryAuth(request.auth),
    signal: AbortSignal.any([over.signal, request.signal, daemon.signal]),
    retryDelayMs: RETRY_DELAY_MS,
  });
  const tags = isWhole ? await registry.tags() : [reference.tag];
  if (tags.length > MOST_TAGS) {
    throw new EngineError('invalid_argument', `${name} has more than ${MOST_TAGS} tags`);
  }
  try {
    for (const each of tags) {
      const wanted = { ...reference, tag: each };
      await pull({
        reference: wanted,
        platform,
        registry,
        store: daemon.imageStore,
        tracer: daemon.tracer,
        tell,
      });
      const pulled = familiarName(canonicalName(wanted));
      daemon.events.emit({
        Type: 'image',
        Action: 'pull',
        Actor: { ID: pulled, Attributes: { name: pulled } },
      });
    }
  } finally {
    over.abort();
  }
};
