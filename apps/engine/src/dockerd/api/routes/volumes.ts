/** `/volumes/…`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Volume */
import { compareVersions } from '../../../protocol/docker-engine-api/versions.ts';
import { VolumeCreateBody } from '../../../protocol/docker-engine-api/volumes.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerEmpty, answerJson, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

/** Since this version prune spares named volumes, unless `all` is asked for. */
const SPARES_NAMED = '1.42';

export const listVolumes: Handler = (backend, exchange) => {
  const volumes = backend.listVolumes(exchange.query.filters());
  answerJson(exchange, 200, { Volumes: volumes, Warnings: null });
};

export const inspectVolume: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.inspectVolume(exchange.name));
};

export const createVolume: Handler = async (backend, exchange) => {
  const { request, body } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const asked = parseBody(VolumeCreateBody, body);
  answerJson(exchange, 201, await backend.createVolume(asked));
};

export const removeVolume: Handler = async (backend, exchange) => {
  await backend.removeVolume(exchange.name, { isForced: exchange.query.flag('force') });
  answerEmpty(exchange, 204);
};

export const pruneVolumes: Handler = async (backend, exchange) => {
  const takesNamed = compareVersions(exchange.version, SPARES_NAMED) < 0;
  const pruned = await backend.pruneVolumes(exchange.query.filters(), { takesNamed });
  answerJson(exchange, 200, pruned);
};
