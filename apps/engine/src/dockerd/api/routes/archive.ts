/** `/containers/{id}/archive`, `/export`, `/changes`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Container */
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { answerEmpty, answerJson, writeAll, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

const STAT_HEADER = 'X-Docker-Container-Path-Stat';
const TAR = 'application/x-tar';

const pathOf = ({ query }: Exchange): string => {
  const path = query.text('path');
  if (path === '') throw new EngineError('invalid_argument', 'bad parameter: path cannot be empty');
  return path;
};

const encoded = (stat: unknown): string => Buffer.from(JSON.stringify(stat)).toString('base64');

const sendTar = async (exchange: Exchange, archive: AsyncIterable<unknown>): Promise<void> => {
  for await (const chunk of archive) if (!(await writeAll(exchange, chunk as Buffer))) return;
  exchange.response.end();
};

/** HEAD: only what the path leads to. */
export const getArchive: Handler = async (backend, exchange) => {
  const { name, request, response } = exchange;
  const path = pathOf(exchange);
  if (request.method === 'HEAD') {
    response.setHeader(STAT_HEADER, encoded(await backend.statPath(name, path)));
    answerEmpty(exchange, 200);
    return;
  }
  await backend.getArchive(name, path, async (stat, archive) => {
    response.writeHead(200, { 'Content-Type': TAR, [STAT_HEADER]: encoded(stat) });
    await sendTar(exchange, archive);
  });
};

export const putArchive: Handler = async (backend, exchange) => {
  const { name, query, request } = exchange;
  await backend.putArchive(name, request, {
    path: pathOf(exchange),
    keepsKinds: query.flag('noOverwriteDirNonDir'),
    takesOwner: query.flag('copyUIDGID'),
  });
  answerEmpty(exchange, 200);
};

export const exportContainer: Handler = async (backend, exchange) => {
  await backend.exportContainer(exchange.name, async (archive) => {
    exchange.response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    await sendTar(exchange, archive);
  });
};

export const containerChanges: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.changes(exchange.name));
};
