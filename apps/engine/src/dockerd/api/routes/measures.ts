/** `/containers/{id}/top`, `/stats`, `/update`, `/containers/prune`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Container */
import { setTimeout } from 'node:timers/promises';
import { UpdateBody } from '../../../protocol/docker-engine-api/containers.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerJson, writeAll, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

/** Between two readings of a stream. */
const READING_MS = 1000;

export const topContainer: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.top(exchange.name, exchange.query.text('ps_args')));
};

export const containerStats: Handler = async (backend, exchange) => {
  const { query, name, signal, response } = exchange;
  // Without a word about it, it is a stream.
  const isStream = query.text('stream') === '' || query.flag('stream');
  const readings = backend.stats(name);
  const first = await readings();
  if (!isStream && (query.flag('one-shot') || first.isOver)) {
    answerJson(exchange, 200, first.answer);
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  for (let reading = first; ; reading = await readings()) {
    if (isStream && !(await writeAll(exchange, `${JSON.stringify(reading.answer)}\n`))) return;
    if (!isStream && reading !== first) {
      response.end(`${JSON.stringify(reading.answer)}\n`);
      return;
    }
    if (reading.isGone) {
      response.end();
      return;
    }
    await setTimeout(READING_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
};

export const updateContainer: Handler = async (backend, exchange) => {
  const { request, body, name } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const warnings = await backend.update(name, parseBody(UpdateBody, body));
  answerJson(exchange, 200, { Warnings: warnings });
};

export const pruneContainers: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.pruneContainers(exchange.query.filters()));
};
