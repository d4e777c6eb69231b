/** `/containers/…`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Container */
import {
  ContainerCreateBody,
  WAIT_CONDITIONS,
  type WaitCondition,
  type WaitResponse,
} from '../../../protocol/docker-engine-api/containers.ts';
import { RAW_STREAM } from '../../../protocol/docker-engine-api/frame.ts';
import { compareVersions } from '../../../protocol/docker-engine-api/versions.ts';
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerEmpty, answerJson, writeAll, type Exchange } from '../exchange.ts';
import { hijack } from '../hijack.ts';
import { HTTP_STATUS } from '../http-status.ts';
import { streamContentType, streamEncoder } from '../multiplexed-stream.ts';
import { acceptWebSocket, checkForWebSocket } from '../websocket.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

export const createContainer: Handler = async (backend, exchange) => {
  const { request, body, query } = exchange;
  checkForJson(request.headers['content-type'], body.length);
  const { HostConfig, NetworkingConfig, ...config } = parseBody(ContainerCreateBody, body);
  const networks = NetworkingConfig.EndpointsConfig;
  const created = await backend.create({
    name: query.text('name'),
    config,
    host: HostConfig,
    networks,
  });
  answerJson(exchange, 201, created);
};

export const startContainer: Handler = async (backend, exchange) => {
  await backend.start(exchange.name);
  answerEmpty(exchange, 204);
};

const stopOptions = ({ query }: Exchange) => ({
  timeoutSeconds: query.integer('t'),
  signal: query.text('signal'),
});

export const stopContainer: Handler = async (backend, exchange) => {
  await backend.stop(exchange.name, stopOptions(exchange));
  answerEmpty(exchange, 204);
};

export const restartContainer: Handler = async (backend, exchange) => {
  await backend.restart(exchange.name, stopOptions(exchange));
  answerEmpty(exchange, 204);
};

export const killContainer: Handler = async (backend, exchange) => {
  await backend.kill(exchange.name, exchange.query.text('signal'));
  answerEmpty(exchange, 204);
};

export const pauseContainer: Handler = async (backend, exchange) => {
  await backend.pause(exchange.name);
  answerEmpty(exchange, 204);
};

export const unpauseContainer: Handler = async (backend, exchange) => {
  await backend.unpause(exchange.name);
  answerEmpty(exchange, 204);
};

export const removeContainer: Handler = async (backend, exchange) => {
  const { query, name } = exchange;
  if (query.flag('link')) {
    await backend.removeLink(name);
    answerEmpty(exchange, 204);
    return;
  }
  await backend.remove(name, {
    isForced: query.flag('force'),
    removesVolumes: query.flag('v'),
  });
  answerEmpty(exchange, 204);
};

export const renameContainer: Handler = async (backend, exchange) => {
  await backend.rename(exchange.name, exchange.query.text('name'));
  answerEmpty(exchange, 204);
};

export const resizeContainer: Handler = async (backend, exchange) => {
  const { query, name } = exchange;
  const size = { height: query.integer('h') ?? 0, width: query.integer('w') ?? 0 };
  await backend.resize(name, size);
  answerEmpty(exchange, 200);
};

export const inspectContainer: Handler = async (backend, exchange) => {
  const { query, name } = exchange;
  answerJson(exchange, 200, await backend.inspect(name, { hasSize: query.flag('size') }));
};

export const listContainers: Handler = (backend, exchange) => {
  const { query } = exchange;
  const limit = Math.max(0, query.integer('limit') ?? 0);
  const found = backend.list({ isAll: query.flag('all'), limit, filters: query.filters() });
  answerJson(exchange, 200, found);
};

/**
 * The head is sent at once: `docker run` asks before it starts the container, and would wait for ever for an answer
 * that begins with the exit.
 */
export const waitContainer: Handler = async (backend, exchange) => {
  const { query, name, response, signal, version } = exchange;
  const condition = waitCondition(
    compareVersions(version, '1.30') < 0 ? '' : query.text('condition'),
  );
  const exit = backend.wait(name, condition, signal);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  const gone = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const result = await Promise.race([exit, gone]);
  if (!result) return;
  if (result.cause !== null) exchange.trace.because(result.cause);
  // Error is about the waiting; why a start failed is the answer of the start.
  const answer: WaitResponse = { StatusCode: result.exitCode, Error: null };
  response.end(`${JSON.stringify(answer)}\n`);
};

const waitCondition = (text: string): WaitCondition => {
  if (text === '') return 'not-running';
  const condition = WAIT_CONDITIONS.find((known) => known === text);
  if (!condition) throw new EngineError('invalid_argument', `invalid condition: "${text}"`);
  return condition;
};

const attachRequest = ({ query }: Exchange) => ({
  hasStdin: query.flag('stdin'),
  hasStdout: query.flag('stdout'),
  hasStderr: query.flag('stderr'),
  hasLogs: query.flag('logs'),
  hasStream: query.flag('stream'),
  isMultiplexed: true,
  detachKeys: query.text('detachKeys'),
});

export const attachContainer: Handler = async (backend, exchange) => {
  const { name, version, response } = exchange;
  let isAccepted = false;
  try {
    await backend.attach(name, attachRequest(exchange), ({ isTerminal }) => {
      isAccepted = true;
      return hijack(exchange, streamContentType(version, isTerminal));
    });
  } catch (error) {
    if (isAccepted || !(error instanceof EngineError)) throw error;
    // Docker has taken the connection by then, and writes a line where others answer with JSON.
    response.writeHead(HTTP_STATUS[error.kind], { 'Content-Type': RAW_STREAM });
    response.end(`${error.message}\r\n`);
  }
};

export const attachWebSocket: Handler = async (backend, exchange) => {
  const { name, version } = exchange;
  checkForWebSocket(exchange);
  // Until then nobody could choose.
  const everything = { hasStdin: true, hasStdout: true, hasStderr: true };
  const request = {
    ...attachRequest(exchange),
    ...(compareVersions(version, '1.42') < 0 ? everything : {}),
    isMultiplexed: false,
  };
  await backend.attach(name, request, () => acceptWebSocket(exchange));
};

const tailOf = (text: string): number | null => {
  if (text === '' || text === 'all') return null;
  const count = Number(text);
  // Docker reads anything that is no number as "all".
  return Number.isSafeInteger(count) && count >= 0 ? count : null;
};

export const containerLogs: Handler = async (backend, exchange) => {
  const { query, name, response, version, signal } = exchange;
  const wants = { stdout: query.flag('stdout'), stderr: query.flag('stderr') };
  if (!wants.stdout && !wants.stderr) {
    throw new EngineError(
      'invalid_argument',
      'Bad parameters: you must choose at least one stream',
    );
  }
  const request = {
    tail: tailOf(query.text('tail')),
    since: query.time('since'),
    until: query.time('until'),
    isFollowing: query.flag('follow'),
  };
  const { isTerminal, entries } = await backend.logs(name, request, signal);
  const hasTimestamps = query.flag('timestamps');
  // Behind the attributes that a driver was told to keep; ours keeps none.
  const details = query.flag('details') ? Buffer.from(' ') : Buffer.alloc(0);
  response.writeHead(200, { 'Content-Type': streamContentType(version, isTerminal) });
  response.flushHeaders();
  const encode = streamEncoder(isTerminal);
  for await (const { stream, time, bytes } of entries) {
    if (!wants[stream]) continue;
    const begin = hasTimestamps ? Buffer.from(`${time} `) : Buffer.alloc(0);
    const line = Buffer.concat([begin, details, bytes]);
    if (!(await writeAll(exchange, encode(stream, line)))) return;
  }
  response.end();
};
