/** `docker push`. Upstream: moby daemon/containerd/image_push.go. */
import type { ProgressMessage } from '../../protocol/docker-engine-api/progress.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { NoCredentialsError, parseRegistryAuth } from '../distribution/credentials.ts';
import { endpointsOf } from '../distribution/endpoint.ts';
import { push } from '../distribution/push.ts';
import { Registry, RegistryError } from '../distribution/registry.ts';
import { canonicalName, familiarName, parseReference } from '../images/reference.ts';
import type { Daemon } from './daemon.ts';

export interface PushRequest {
  readonly name: string;
  /** Empty for all tags of the name. */
  readonly tag: string;
  readonly auth: string | undefined;
  readonly tell: (message: ProgressMessage) => void;
  readonly signal: AbortSignal;
}

const RETRY_DELAY_MS = 500;

export const pushImage = async (daemon: Daemon, request: PushRequest): Promise<void> => {
  const { repository } = parseReference(request.name);
  const tags = request.tag === '' ? await tagsOf(daemon, repository) : [request.tag];
  if (tags.length === 0) throw missing(repository);
  const slash = repository.indexOf('/');
  const over = new AbortController();
  const registry = new Registry({
    endpoints: await endpointsOf(repository.slice(0, slash), daemon.options.registries),
    repository: repository.slice(slash + 1),
    credentials: parseRegistryAuth(request.auth),
    actions: 'pull,push',
    signal: AbortSignal.any([over.signal, request.signal, daemon.signal]),
    retryDelayMs: RETRY_DELAY_MS,
  });
  // All of them are looked up before the first byte goes out.
  const images = await Promise.all(
    tags.map((tag) =>
      daemon.imageStore.find(`${repository}:${tag}`).catch(() => {
        throw missing(repository);
      }),
    ),
  );
  request.tell({ status: `The push refers to repository [${repository}]` });
  try {
    for (const [index, image] of images.entries()) {
      const tag = tags[index] ?? '';
      await push({
        image,
        tag,
        registry,
        client: daemon.images,
        tracer: daemon.tracer,
        tell: request.tell,
      });
      const name = familiarName(canonicalName(parseReference(`${repository}:${tag}`)));
      daemon.events.emit({
        Type: 'image',
        Action: 'push',
        Actor: { ID: name, Attributes: { name } },
      });
    }
  } catch (error) {
    throw asPushError(error, repository);
  } finally {
    over.abort();
  }
};

const missing = (repository: string): EngineError =>
  new EngineError(
    'not_found',
    `An image does not exist locally with the tag: ${familiarName(repository)}`,
  );

const tagsOf = async (daemon: Daemon, repository: string): Promise<string[]> =>
  (await daemon.imageStore.list())
    .filter(({ name }) => name.startsWith(`${repository}:`))
    .map(({ name }) => name.slice(repository.length + 1))
    .filter((tag) => !tag.includes('@'));

/** The words in which Docker tells who may not push. */
const asPushError = (error: unknown, repository: string): unknown => {
  if (error instanceof NoCredentialsError)
    return new EngineError('unknown', NoCredentialsError.words, { cause: error });
  if (!(error instanceof RegistryError)) return error;
  const isDenied = error.code === 'DENIED' || error.code === 'UNAUTHORIZED';
  if (!isDenied) return error;
  return new EngineError(
    'forbidden',
    `push access denied for ${familiarName(repository)}, repository does not exist or may require authorization: ${error.message}`,
    { cause: error },
  );
};
