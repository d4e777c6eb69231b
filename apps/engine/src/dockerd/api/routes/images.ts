/** `/images/…`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Image */
import type { ProgressMessage } from '../../../protocol/docker-engine-api/progress.ts';
import { EngineError, messageOf } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { answerJson, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const listImages: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.listImages(exchange.query.filters()));
};

export const inspectImage: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.inspectImage(exchange.name));
};

export const removeImage: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.removeImage(exchange.name));
};

/** One JSON object a line, as for a pull: the CLI prints each `stream`. */
export const loadImages: Handler = async (backend, exchange) => {
  const { request, response } = exchange;
  const sentences = await backend.loadImages(request);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  for (const sentence of sentences) {
    response.write(`${JSON.stringify({ stream: `${sentence}\n` })}\r\n`);
  }
  response.end();
};

/** `docker pull`, and what `docker run` tries when the image is not here: one JSON object a line. */
export const pullImage: Handler = async (backend, exchange) => {
  const { query, request, response, signal } = exchange;
  const name = query.text('fromImage');
  if (name === '') {
    throw new EngineError('not_implemented', 'docker import is not supported by this daemon yet');
  }
  const auth = request.headers['x-registry-auth'];
  const tell = (message: ProgressMessage): void => {
    if (signal.aborted) return;
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(`${JSON.stringify(message)}\r\n`);
  };
  try {
    await backend.pullImage({
      name,
      tag: query.text('tag'),
      platform: query.text('platform'),
      auth: typeof auth === 'string' ? auth : undefined,
      tell,
      signal,
    });
  } catch (error) {
    // Once the stream has begun, an error is its last line.
    if (!response.headersSent) throw error;
    const message = messageOf(error);
    tell({ errorDetail: { message }, error: message });
  }
  response.end();
};
