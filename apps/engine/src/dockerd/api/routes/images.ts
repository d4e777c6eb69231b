/** `/images/…`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Image */
import { compareVersions } from '../../../protocol/docker-engine-api/versions.ts';
import type { ProgressMessage } from '../../../protocol/docker-engine-api/progress.ts';
import { EngineError, messageOf } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { answerEmpty, answerJson, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const listImages: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.listImages(exchange.query.filters()));
};

/** What older versions of the API had; docker-compose 1.29 does not do without. Upstream: getImagesByName. */
const formerFields = (version: string, size: number) => ({
  ...(compareVersions(version, '1.44') < 0 ? { VirtualSize: size } : {}),
  ...(compareVersions(version, '1.45') < 0 ? { Container: '', ContainerConfig: NO_CONFIG } : {}),
});

/** No container of ours has become an image by being configured. */
const NO_CONFIG = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
} as const;

export const inspectImage: Handler = async (backend, exchange) => {
  const image = await backend.inspectImage(exchange.name);
  answerJson(exchange, 200, { ...image, ...formerFields(exchange.version, image.Size) });
};

export const imageHistory: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.imageHistory(exchange.name));
};

export const inspectDistribution: Handler = async (backend, exchange) => {
  const { name, request, signal } = exchange;
  const header = request.headers['x-registry-auth'];
  const auth = typeof header === 'string' ? header : undefined;
  answerJson(exchange, 200, await backend.inspectDistribution(name, { auth, signal }));
};

export const tagImage: Handler = async (backend, exchange) => {
  const { name, query } = exchange;
  await backend.tagImage(name, { repository: query.text('repo'), tag: query.text('tag') });
  answerEmpty(exchange, 201);
};

export const removeImage: Handler = async (backend, exchange) => {
  const { name, query } = exchange;
  answerJson(exchange, 200, await backend.removeImage(name, { isForced: query.flag('force') }));
};

export const pruneImages: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.pruneImages(exchange.query.filters()));
};

const save = async (
  backend: Backend,
  { response }: Exchange,
  references: readonly string[],
): Promise<void> => {
  const write = await backend.saveImages(references);
  response.writeHead(200, { 'Content-Type': 'application/x-tar' });
  // An archive that breaks off must not look whole: the connection is cut.
  await write(response).catch((error: unknown) => {
    response.destroy(error instanceof Error ? error : new Error(String(error)));
  });
};

export const saveImage: Handler = (backend, exchange) => save(backend, exchange, [exchange.name]);

export const saveImages: Handler = (backend, exchange) => {
  const names = exchange.query.all('names').flatMap((text) => text.split(','));
  if (names.length === 0) throw new EngineError('invalid_argument', 'no images specified');
  return save(backend, exchange, names);
};

/** One JSON object a line, as for a pull: the CLI prints each `stream`. Errors are a line too, from the first on. */
export const loadImages: Handler = async (backend, exchange) => {
  const { request, response } = exchange;
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  await streamed(exchange, async (tell) => {
    for (const sentence of await backend.loadImages(request)) tell({ stream: `${sentence}\n` });
  });
};

const authOf = ({ request }: Exchange): string | undefined => {
  const auth = request.headers['x-registry-auth'];
  return typeof auth === 'string' ? auth : undefined;
};

/** One JSON object a line. Once the stream has begun, an error is its last line. */
const streamed = async (
  { response, signal }: Exchange,
  work: (tell: (message: ProgressMessage) => void) => Promise<void>,
): Promise<void> => {
  const tell = (message: ProgressMessage): void => {
    if (signal.aborted) return;
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(`${JSON.stringify(message)}\r\n`);
  };
  try {
    await work(tell);
  } catch (error) {
    if (!response.headersSent) throw error;
    const message = messageOf(error);
    tell({ errorDetail: { message }, error: message });
  }
  response.end();
};

/** `docker pull`, what `docker run` tries when the image is not here, and `docker import`. */
export const createImage: Handler = async (backend, exchange) => {
  const { query, request, signal } = exchange;
  const name = query.text('fromImage');
  if (name === '') return importImage(backend, exchange);
  request.resume();
  await streamed(exchange, (tell) =>
    backend.pullImage({
      name,
      tag: query.text('tag'),
      platform: query.text('platform'),
      auth: authOf(exchange),
      tell,
      signal,
    }),
  );
};

const importImage: Handler = async (backend, exchange) => {
  const { query, request } = exchange;
  // An address would have the daemon fetch whatever the client names, with the daemon's rights.
  if (query.text('fromSrc') !== '-') {
    throw new EngineError(
      'not_implemented',
      'docker import from a URL is not supported by this daemon: fetch it, and import the file',
    );
  }
  await streamed(exchange, async (tell) => {
    const id = await backend.importImage({
      archive: request,
      repository: query.text('repo'),
      tag: query.text('tag'),
      message: query.text('message'),
      platform: query.text('platform'),
      changes: query.all('changes'),
    });
    tell({ status: id });
  });
};

export const pushImage: Handler = async (backend, exchange) => {
  const { name, query, signal } = exchange;
  await streamed(exchange, (tell) =>
    backend.pushImage({ name, tag: query.text('tag'), auth: authOf(exchange), tell, signal }),
  );
};
