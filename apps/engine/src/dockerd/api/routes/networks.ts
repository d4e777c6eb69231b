/**
 * `/networks/…`, and the plugins that `docker inspect` looks for.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Network
 */
import {
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkDisconnectBody,
} from '../../../protocol/docker-engine-api/networks.ts';
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerEmpty, answerJson, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const listNetworks: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.listNetworks(exchange.query.filters()));
};

export const inspectNetwork: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.inspectNetwork(exchange.name));
};

export const createNetwork: Handler = async (backend, exchange) => {
  const { request, body } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const { id, warning } = await backend.createNetwork(parseBody(NetworkCreateBody, body));
  answerJson(exchange, 201, { Id: id, Warning: warning });
};

export const removeNetwork: Handler = async (backend, exchange) => {
  await backend.removeNetwork(exchange.name);
  answerEmpty(exchange, 204);
};

export const pruneNetworks: Handler = async (backend, exchange) => {
  const deleted = await backend.pruneNetworks(exchange.query.filters());
  answerJson(exchange, 200, { NetworksDeleted: deleted.length > 0 ? deleted : null });
};

export const connectNetwork: Handler = async (backend, exchange) => {
  const { request, body, name } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  await backend.connectNetwork(name, parseBody(NetworkConnectBody, body));
  answerEmpty(exchange, 200);
};

export const disconnectNetwork: Handler = async (backend, exchange) => {
  const { request, body, name } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  await backend.disconnectNetwork(name, parseBody(NetworkDisconnectBody, body));
  answerEmpty(exchange, 200);
};

export const listPlugins: Handler = (_backend, exchange) => {
  answerJson(exchange, 200, []);
};

export const inspectPlugin: Handler = (_backend, { name }) => {
  throw new EngineError('not_found', `plugin "${name}" not found`);
};
