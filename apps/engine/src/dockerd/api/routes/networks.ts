/**
 * Networks, plugins and what else is looked for by `docker inspect` and `network ls`.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/
 */
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { answerJson, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const listNetworks: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.listNetworks());
};

export const inspectNetwork: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.inspectNetwork(exchange.name));
};

export const listPlugins: Handler = (_backend, exchange) => {
  answerJson(exchange, 200, []);
};

export const inspectPlugin: Handler = (_backend, { name }) => {
  throw new EngineError('not_found', `plugin "${name}" not found`);
};

/** A route of Docker's that this daemon does not serve yet: said, not hidden. */
export const notYet =
  (what: string): Handler =>
  () => {
    throw new EngineError('not_implemented', `${what} is not supported by this daemon yet`);
  };
