/** `docker pull`, and what `docker run` asks for when the image is not here. Upstream: moby daemon/images/image_pull.go. */
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { NOBODY, parseRegistryAuth } from '../distribution/credentials.ts';
import { endpointsOf, mirrorsOf } from '../distribution/endpoint.ts';
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
  const host = reference.repository.slice(0, slash);
  const asked = {
    repository: reference.repository.slice(slash + 1),
    signal: AbortSignal.any([over.signal, request.signal, daemon.signal]),
    retryDelayMs: RETRY_DELAY_MS,
  };
  const { registries } = daemon.options;
  const mirrors = (await mirrorsOf(host, registries)).map(
    // A mirror is somebody else: Docker Hub's password is not for it.
    (mirror) => new Registry({ ...asked, endpoints: [mirror], credentials: NOBODY }),
  );
  const origin = new Registry({
    ...asked,
    endpoints: await endpointsOf(host, registries),
    credentials: parseRegistryAuth(request.auth),
  });
  /** From the mirrors first; what they say of a failure does not matter as long as somebody has it. */
  const fromAny = async <T>(work: (registry: Registry) => Promise<T>): Promise<T> => {
    for (const mirror of mirrors) {
      try {
        return await work(mirror);
      } catch {
        asked.signal.throwIfAborted();
      }
    }
    return work(origin);
  };
  const tags = isWhole ? await fromAny((registry) => registry.tags()) : [reference.tag];
  if (tags.length > MOST_TAGS) {
    throw new EngineError('invalid_argument', `${name} has more than ${MOST_TAGS} tags`);
  }
  try {
    for (const each of tags) {
      const wanted = { ...reference, tag: each };
      const store = daemon.imageStore;
      const { tracer } = daemon;
      await fromAny((registry) =>
        pull({ reference: wanted, platform, registry, store, tracer, tell }),
      );
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
