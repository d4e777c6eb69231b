/** `/containers/{id}/exec`, `/exec/…`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Exec */
import { ExecCreateBody, ExecStartBody } from '../../../protocol/docker-engine-api/exec.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerEmpty, answerJson, type Exchange } from '../exchange.ts';
import { hijack } from '../hijack.ts';
import { streamContentType } from '../multiplexed-stream.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const createExec: Handler = async (backend, exchange) => {
  const { request, body, name } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const Id = await backend.createExec(name, parseBody(ExecCreateBody, body));
  answerJson(exchange, 201, { Id });
};

export const startExec: Handler = async (backend, exchange) => {
  const { request, body, name, version } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const { Detach, Tty, ConsoleSize } = parseBody(ExecStartBody, body);
  await backend.startExec(name, {
    isDetached: Detach,
    consoleSize: ConsoleSize,
    isRaw: Tty,
    accept: () => hijack(exchange, streamContentType(version, Tty)),
  });
  if (Detach) answerEmpty(exchange, 200);
};

export const inspectExec: Handler = (backend, exchange) => {
  answerJson(exchange, 200, backend.inspectExec(exchange.name));
};

export const resizeExec: Handler = async (backend, exchange) => {
  const { query, name } = exchange;
  const size = { height: query.integer('h') ?? 0, width: query.integer('w') ?? 0 };
  await backend.resizeExec(name, size);
  answerEmpty(exchange, 200);
};
