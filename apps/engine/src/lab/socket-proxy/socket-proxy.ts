/**
 * A filter before the engine's socket: whoever gets this socket instead can look, and do nothing else.
 * What is refused is answered here, with 403 in the shape of Docker's errors; dockerd never hears of it.
 */
import { chownSync, rmSync } from 'node:fs';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { formatTraceparent } from '../../tracing/context.ts';
import { listenOnSocket, pidOfPeer, type CredentialsOfPeer } from '../../transport/unix-socket.ts';
import { isAllowed } from './allow-list.ts';
import { ProxyTrace } from './proxy-trace.ts';

export interface SocketProxyOptions {
  readonly socketPath: string;
  /** Who may open it, beside root. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly dockerSocket: string;
  readonly peerCredentials: CredentialsOfPeer;
  readonly tell: (event: TraceEvent) => void;
}

const PATIENCE_MS = 30_000;
/** Of one hop alone: RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const withoutHops = (headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));

export class SocketProxy {
  readonly #options: SocketProxyOptions;
  readonly #server = createServer({ keepAlive: true }, (request, response) =>
    this.#serve(request, response),
  );
  #listening: Promise<void> | null = null;

  constructor(options: SocketProxyOptions) {
    this.#options = options;
    // `docker attach` and `exec` would turn the connection into a stream that nobody filters.
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      const { text } = this.#refuse(request, pidOfPeer(request.socket, options.peerCredentials));
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
    });
  }

  /** Listens from the first time on that somebody wants it. */
  listen(): Promise<void> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async close(): Promise<void> {
    if (!this.#listening) return;
    await this.#listening.catch(() => undefined);
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    rmSync(this.#options.socketPath, { force: true });
  }

  async #listen(): Promise<void> {
    const { socketPath, owner } = this.#options;
    await listenOnSocket(this.#server, socketPath, 0o600);
    chownSync(socketPath, owner.uid, owner.gid);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const pid = pidOfPeer(request.socket, this.#options.peerCredentials);
    const { method = '', url = '' } = request;
    if (!isAllowed(method, url) || hasBody(request)) {
      const { text } = this.#refuse(request, pid);
      response.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
      response.end(text);
      return;
    }
    const trace = new ProxyTrace(request, pid, this.#options.tell);
    trace.forwarded(`${method} ${url.split('?', 1)[0]}`);
    const forwarded = ask(
      {
        socketPath: this.#options.dockerSocket,
        method,
        path: url,
        agent: false,
        timeout: PATIENCE_MS,
        headers: {
          ...withoutHops(request.headers),
          traceparent: formatTraceparent(trace.onward),
        },
      },
      (answer) => {
        const status = answer.statusCode ?? 502;
        trace.answered(`${status} ${answer.statusMessage ?? ''}`.trim());
        response.writeHead(status, withoutHops(answer.headers));
        answer.on('error', () => response.destroy());
        answer.pipe(response);
      },
    );
    forwarded.on('timeout', () => forwarded.destroy(new Error('no answer in time')));
    forwarded.on('error', () => {
      if (response.closed) return trace.abandoned();
      if (response.headersSent) return void response.destroy();
      trace.answered('502 Bad Gateway');
      response.writeHead(502, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ message: 'socket proxy: dockerd does not answer' }));
    });
    response.on('close', () => forwarded.destroy());
    forwarded.end();
  }

  #refuse(request: IncomingMessage, pid: number | null): { readonly text: string } {
    const { method = '', url = '' } = request;
    const body = {
      message: `socket proxy: ${method} ${url.split('?', 1)[0]?.slice(0, 200)} is not on the list of what may pass`,
    };
    new ProxyTrace(request, pid, this.#options.tell).refused('403 Forbidden', body);
    return { text: JSON.stringify(body) };
  }
}
