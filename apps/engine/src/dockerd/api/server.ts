/**
 * The Docker Engine API over HTTP, on a unix socket or over TCP.
 * Upstream: moby daemon/server/server.go, daemon/server/middleware.
 */
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { API_VERSION, versionRefusal } from '../../protocol/docker-engine-api/versions.ts';
import { EngineError, kindOf, messageOf } from '../../protocol/errdefs.ts';
import { passGate } from '../../tracing/gate.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Backend } from './backend.ts';
import { readBody } from './body.ts';
import type { ClientProcesses } from '../../transport/client-processes.ts';
import type { Exchange } from './exchange.ts';
import { HTTP_STATUS } from './http-status.ts';
import { Query } from './query.ts';
import { captureAnswer, traceRequest } from './request-trace.ts';
import { ROUTES, type Route } from './router.ts';
import { readUpgrade } from './upgrade-body.ts';

export interface ApiServerOptions {
  readonly backend: Backend;
  readonly tracer: Tracer;
  readonly clients: ClientProcesses;
  /** For TCP with TLS; null for a plain connection. */
  readonly tls: TlsOptions | null;
}

/** What is known of a request before express sees it. */
interface Arrival {
  readonly arrivedAt: bigint;
  readonly originalUrl: string;
  readonly version: string;
  readonly upgrade: Exchange['upgrade'];
}
const VERSIONED = /^\/v(\d+\.\d+)(\/.*)$/;
const BAD_REQUEST =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request';

export const createApiServer = (options: ApiServerOptions): Server => {
  const { clients, tls } = options;
  const arrivals = new WeakMap<IncomingMessage, Arrival>();
  const app = createApp(options, arrivals);

  const arrive = (request: IncomingMessage, upgrade: Exchange['upgrade']): void => {
    const originalUrl = request.url ?? '/';
    const [, version, path] = VERSIONED.exec(originalUrl) ?? [];
    if (path !== undefined) request.url = path;
    arrivals.set(request, {
      arrivedAt: process.hrtime.bigint(),
      originalUrl,
      version: version ?? API_VERSION,
      upgrade,
    });
  };

  // A wait, an attach or a pull may take days.
  const patience = { requestTimeout: 0, keepAliveTimeout: 0 };
  // The end of a client's input is not the end of its connection; plain HTTP has that from Node.
  const server = tls
    ? createTlsServer({ ...tls, ...patience, allowHalfOpen: true })
    : createServer(patience);
  server.on('connection', (socket: Socket) => clients.remember(socket));
  server.on('request', (request, response) => {
    arrive(request, null);
    app(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    arrive(request, { socket, head });
    const response = new ServerResponse(request);
    response.assignSocket(request.socket);
    // A refusal ends the connection; an acceptance has detached the response from it.
    response.once('finish', () => socket.end());
    socket.on('error', () => socket.destroy());
    app(request, response);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end(BAD_REQUEST);
    else socket.destroy();
  });
  return server;
};

const createApp = (
  options: ApiServerOptions,
  arrivals: WeakMap<IncomingMessage, Arrival>,
): Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Docker's paths are taken as they stand.
  app.enable('case sensitive routing');
  app.use((request, response, next) => {
    response.setHeader('Server', `Docker/${options.backend.engineVersion} (linux)`);
    response.setHeader('Api-Version', API_VERSION);
    response.setHeader('Ostype', 'linux');
    const refusal = versionRefusal(arrivals.get(request)?.version ?? API_VERSION);
    if (refusal === null) next();
    else next(new EngineError('invalid_argument', refusal));
  });
  for (const route of ROUTES) {
    // The name of an image may contain slashes, and so does that of a link, `parent/alias`.
    const path = route.path.replace(
      '{name}',
      /^\/(images|containers|distribution)\//.test(route.path) ? '*name' : ':name',
    );
    const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
    app[method](path, async (request, response) => {
      const arrival = arrivals.get(request);
      if (arrival) await serve(options, { route, request, response, arrival });
    });
  }
  app.use((_request, _response, next) => next(new EngineError('not_found', 'page not found')));
  app.use(answerError);
  return app;
};

const nameParameter = (value: string | readonly string[] | undefined): string =>
  typeof value === 'string' ? value : (value ?? []).join('/');

/** One for all requests: to make an exception, with its stack, for each takes its time, and its name says it all. */
const CLIENT_GONE = new DOMException('The client is gone', 'AbortError');

const serve = async (
  { backend, tracer, clients }: ApiServerOptions,
  call: {
    readonly route: Route;
    readonly request: express.Request;
    readonly response: express.Response;
    readonly arrival: Arrival;
  },
): Promise<void> => {
  const { route, request, response, arrival } = call;
  const { originalUrl, arrivedAt, version } = arrival;
  const gone = new AbortController();
  response.once('close', () => gone.abort(CLIENT_GONE));
  let { upgrade } = arrival;
  let body: Buffer = Buffer.alloc(0);
  if (upgrade) ({ body, upgrade } = await readUpgrade(request, upgrade));
  else if (!route.isUpload) body = await readBody(request);
  const name = nameParameter((request.params as Record<string, string | string[]>)['name']);
  const trace = traceRequest({
    tracer,
    clients,
    route: { ...route, path: route.path.replace('{name}', '{id}') },
    request,
    originalUrl,
    body,
    arrivedAt,
    container: originOf(backend, route, name),
  });
  captureAnswer(response, trace);
  const exchange: Exchange = {
    request,
    response,
    name,
    query: new Query(request.url),
    version,
    body,
    trace,
    signal: gone.signal,
    upgrade,
  };
  await trace.run(async () => {
    // The first question of every client, before it says what it wants.
    if (route.path !== '/_ping') await waitAtGate(tracer, gone.signal);
    return route.handle(backend, exchange);
  });
};

/** A request whose client has left meanwhile is not served any more. */
const waitAtGate = async (tracer: Tracer, signal: AbortSignal): Promise<void> => {
  await passGate(tracer, { gate: 'request-accepted', signal, source: __SOURCE__ });
  if (signal.aborted) throw new EngineError('cancelled', 'context canceled');
};

/** Which container a request is about, and the trace that made it. */
const originOf = (backend: Backend, { path }: Route, name: string) => {
  if (path.startsWith('/containers/{name}')) return backend.origin?.(name) ?? null;
  if (path.startsWith('/exec/{name}')) return backend.execOrigin?.(name) ?? null;
  return null;
};

/** Every error has the same form: a status and one sentence. */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (response.headersSent) {
    // Too late to say it: the client sees the stream break.
    response.destroy(error instanceof Error ? error : undefined);
    return;
  }
  const status = statusOf(error);
  if (status === HTTP_STATUS.not_modified) {
    response.status(status).end();
    return;
  }
  if (status >= 500) process.stderr.write(`dockerd: ${messageOf(error)}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify({ message: messageOf(error) })}\n`);
};

const statusOf = (error: unknown): number => {
  if (error instanceof EngineError) return HTTP_STATUS[kindOf(error)];
  // express itself: a path that cannot be decoded.
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
  return status === 400 ? 400 : HTTP_STATUS.internal;
};
