/** What the two doors of the lab have in common: the built page, its headers, who may ask, and the WebSockets. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import { kindOf, messageOf } from '../../protocol/errdefs.ts';
import type { Guard } from './guard.ts';
import { packedFiles } from './packed-files.ts';
import { contentSecurityPolicy, securityHeaders } from './security-headers.ts';
import type { Upgrades } from './upgrades.ts';

export interface WebServerOptions {
  readonly host: string;
  readonly port: number;
  /** The folder of the built page. */
  readonly webRoot: string;
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs?: number | undefined;
}

export interface WebServerParts {
  readonly guard: Guard;
  readonly upgrades: Upgrades;
  /** Below `/api`, in this order. */
  readonly api: readonly (Router | RequestHandler)[];
  /** Before the page itself. */
  readonly page?: RequestHandler;
  /** Where who comes without a path is sent; else the page itself is there. */
  readonly home?: string;
}

const REQUEST_TIMEOUT_MS = 30_000;
const STATUS_OF_CODE: Partial<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};
const NOT_BUILT =
  '<!doctype html><title>Engine Room</title><p>The page is not built yet: run <code>npm start</code>.</p>';

export class WebServer {
  readonly #options: WebServerOptions;
  readonly #parts: WebServerParts;
  readonly #server: Server;

  constructor(options: WebServerOptions, parts: WebServerParts) {
    this.#options = options;
    this.#parts = parts;
    const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#server = createServer(
      {
        maxHeaderSize: 16 * 1024,
        requestTimeout,
        headersTimeout: requestTimeout,
        // Node looks for the slow ones only now and then.
        connectionsCheckingInterval: Math.min(requestTimeout / 2, 5_000),
      },
      this.#app(),
    );
    this.#server.on('upgrade', (request, socket, head) =>
      parts.upgrades.take(request, socket, head),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const status = STATUS_OF_CODE[error.code ?? ''] ?? '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    });
  }

  /** The port that it got; differs from the wanted one when that was 0. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    this.#parts.guard.setPort(port);
    return port;
  }

  async close(): Promise<void> {
    this.#parts.upgrades.close();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  #app(): express.Express {
    const { webRoot } = this.#options;
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.use(securityHeaders(contentSecurityPolicy(indexPage(webRoot))));
    app.use((request, response, next) => {
      const refusal = this.#parts.guard.checkOrigin(request);
      if (refusal) response.status(refusal.status).json({ message: refusal.message });
      else next();
    });
    app.get('/healthz', (_request, response) => {
      response.type('text/plain').send('ok\n');
    });
    app.use('/api', ...this.#parts.api, (_request, response) => {
      response.status(404).json({ message: 'page not found' });
    });
    // Files with a hash in their name never change; the index page must be asked for each time.
    const assets = join(webRoot, 'assets');
    app.use(
      '/assets',
      packedFiles(assets),
      express.static(assets, {
        immutable: true,
        maxAge: '1y',
        fallthrough: false,
      }),
    );
    const { home, page } = this.#parts;
    if (page) app.get(['/', '/index.html'], page);
    if (home !== undefined) app.get('/', (_request, response) => response.redirect(home));
    // The page itself finds out which room it is in.
    app.get(['/room', '/room/:code', '/present/:code'], (_request, response) => {
      response.set('Cache-Control', 'no-cache').sendFile(join(webRoot, 'index.html'));
    });
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
}

const indexPage = (webRoot: string): string => {
  try {
    return readFileSync(join(webRoot, 'index.html'), 'utf8');
  } catch {
    return '';
  }
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
