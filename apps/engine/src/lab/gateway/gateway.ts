/** The lab's HTTP server: the built page, the API beside it, and the WebSocket that carries the trace. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { WebSocketServer } from 'ws';
import { kindOf, messageOf } from '../../protocol/errdefs.ts';
import { apiRoutes, type Backend } from './api-routes.ts';
import { Guard, WS_PROTOCOL, type Refusal } from './guard.ts';
import { contentSecurityPolicy, securityHeaders } from './security-headers.ts';
import { StreamHub } from './stream-hub.ts';

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  /** The folder of the built page. */
  readonly webRoot: string;
  readonly backend: Backend;
}

const FRAME_LIMIT_BYTES = 64 * 1024;
const NOT_BUILT =
  '<!doctype html><title>Engine Room</title><p>The page is not built yet: run <code>npm start</code>.</p>';

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #guard: Guard;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly hub: StreamHub;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#guard = new Guard(options);
    this.hub = new StreamHub(options.backend);
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: FRAME_LIMIT_BYTES,
      // What travels is on this machine; compressing it would cost more than sending it.
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(WS_PROTOCOL) ? WS_PROTOCOL : false),
    });
    this.#server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000 }, this.#app());
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
  }

  /** The port that it got; differs from the wanted one when that was 0. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    this.#guard.setPort(port);
    return port;
  }

  async close(): Promise<void> {
    this.hub.close();
    this.#sockets.close();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  #app(): express.Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.use(securityHeaders(contentSecurityPolicy(indexPage(this.#options.webRoot))));
    app.use((request, response, next) => {
      const refusal = this.#guard.checkOrigin(request);
      if (refusal) response.status(refusal.status).json({ message: refusal.message });
      else next();
    });
    app.get('/healthz', (_request, response) => {
      response.type('text/plain').send('ok\n');
    });
    app.use('/api', this.#authenticate, apiRoutes(this.#options.backend), (_request, response) => {
      response.status(404).json({ message: 'page not found' });
    });
    // Files with a hash in their name never change; the index page must be asked for each time.
    const { webRoot } = this.#options;
    app.use(
      '/assets',
      express.static(join(webRoot, 'assets'), {
        immutable: true,
        maxAge: '1y',
        fallthrough: false,
      }),
    );
    app.use(
      express.static(webRoot, {
        setHeaders: (response) => response.set('Cache-Control', 'no-cache'),
      }),
    );
    app.get('/', (_request, response) => {
      response.status(503).type('html').send(NOT_BUILT);
    });
    app.use((_request, response) => {
      response.status(404).json({ message: 'page not found' });
    });
    app.use(answerError);
    return app;
  }

  readonly #authenticate: RequestHandler = (request, response, next) => {
    response.set('Cache-Control', 'no-store');
    const learner = this.#guard.learnerOfRequest(request);
    if ('status' in learner) {
      response
        .status(learner.status)
        .set('WWW-Authenticate', 'Bearer')
        .json({ message: learner.message });
      return;
    }
    response.locals['learner'] = learner;
    next();
  };

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (request.url !== '/api/stream')
      return refuse(socket, { status: 404, message: 'page not found' });
    const refusal = this.#guard.checkOrigin(request);
    if (refusal) return refuse(socket, refusal);
    const learner = this.#guard.learnerOfUpgrade(request);
    if ('status' in learner) return refuse(socket, learner);
    this.#sockets.handleUpgrade(request, socket, head, (page) => this.hub.add(page));
  }
}

const indexPage = (webRoot: string): string => {
  try {
    return readFileSync(join(webRoot, 'index.html'), 'utf8');
  } catch {
    return '';
  }
};

const refuse = (
  socket: Duplex,
  { status, message }: Omit<Refusal, 'status'> & { status: number },
): void => {
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
};

const STATUS_OF_KIND: Partial<Record<string, number>> = {
  invalid_argument: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  failed_precondition: 409,
  unavailable: 503,
};

const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  // express and its body parser put the status on the error.
  const own =
    typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : NaN;
  const status = own >= 400 && own < 500 ? own : (STATUS_OF_KIND[kindOf(error)] ?? 500);
  if (status === 500) console.error(error);
  response
    .status(status)
    .json({ message: status === 500 ? 'the lab failed; its log says more' : messageOf(error) });
};
