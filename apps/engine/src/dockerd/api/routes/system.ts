/** `/_ping`, `/version`, `/info`, `/events`. Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/System */
import * as z from 'zod';
import { text } from '../../../protocol/docker-engine-api/given.ts';
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import { checkForJson, parseBody } from '../body.ts';
import { answerJson, writeAll, type Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

/** The first request of every command: the answer's headers tell the API version. */
export const ping: Handler = (_backend, { request, response }) => {
  response.writeHead(200, {
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    'Docker-Experimental': 'false',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': '2',
  });
  response.end(request.method === 'HEAD' ? undefined : 'OK');
};

export const getVersion: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.version());
};

export const getInfo: Handler = async (backend, exchange) => {
  answerJson(exchange, 200, await backend.info());
};

const USAGE_TYPES = ['container', 'image', 'volume', 'build-cache'] as const;

/** `docker system df`; some of it by `?type=`. */
export const getDiskUsage: Handler = async (backend, exchange) => {
  const asked = exchange.query.all('type');
  const types = asked.map((text) => {
    const type = USAGE_TYPES.find((known) => known === text);
    if (type) return type;
    throw new EngineError('invalid_argument', `unknown object type: ${text}`);
  });
  answerJson(
    exchange,
    200,
    await backend.diskUsage(new Set(asked.length > 0 ? types : USAGE_TYPES)),
  );
};

/** `docker system prune` asks for it too. Nothing is built here, so nothing is kept of it. */
export const pruneBuildCache: Handler = (_backend, exchange) => {
  answerJson(exchange, 200, { CachesDeleted: null, SpaceReclaimed: 0 });
};

const LoginBody = z.object({
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text,
  serveraddress: text,
});

/** `docker login`: what the client would like to keep is tried at the registry. */
export const checkAuth: Handler = async (backend, exchange) => {
  checkForJson(exchange.request.headers['content-type'], exchange.body.length);
  const { serveraddress, ...credentials } = parseBody(LoginBody, exchange.body);
  answerJson(exchange, 200, await backend.login(credentials, serveraddress));
};

/** Stays open until the client goes, or until `until`. */
export const streamEvents: Handler = async (backend, exchange) => {
  const { query, response, signal } = exchange;
  const since = query.time('since');
  const until = query.time('until');
  const filters = query.filters();
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();

  const pending = since > 0 ? backend.pastEvents(since, until) : [];
  let wake = (): void => undefined;
  const stop = backend.listen((event) => {
    pending.push(event);
    wake();
  });
  let isOver = false;
  const end = (): void => {
    isOver = true;
    wake();
  };
  signal.addEventListener('abort', end);
  const timer = until > 0 ? setTimeout(end, Math.max(0, until * 1000 - Date.now())) : null;
  try {
    for (;;) {
      for (let event = pending.shift(); event; event = pending.shift()) {
        if (!backend.eventMatches(event, filters)) continue;
        if (!(await writeAll(exchange, `${JSON.stringify(event)}\n`))) return;
      }
      if (isOver) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    response.end();
  } finally {
    stop();
    signal.removeEventListener('abort', end);
    if (timer) clearTimeout(timer);
  }
};
