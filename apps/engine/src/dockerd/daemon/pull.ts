/** `docker pull`, and what `docker run` asks for when the image is not here. Upstream: moby daemon/images/image_pull.go. */
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { parsePlatform } from '../distribution/manifest.ts';
import { pull } from '../distribution/pull.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';
import { registriesOf } from './registries.ts';

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
  // Also ends what is still being fetched when one part fails.
  const over = new AbortController();
  const fromAny = await registriesOf(daemon, reference.repository, {
    auth: request.auth,
    signal: AbortSignal.any([over.signal, request.signal]),
  });
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
