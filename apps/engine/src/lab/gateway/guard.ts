/**
 * Who may speak to the lab. The page can start containers as root, so every web site that the browser visits must be
 * kept out: `Host` stops DNS rebinding, `Origin` stops other sites, the token stops other users of the machine.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { newSessionCookie, sessionOf } from './session-cookie.ts';

export const WS_PROTOCOL = 'engine-room.v1';
const TOKEN_PREFIX = 'token.';

/** One browser with the token is one learner. */
export interface Learner {
  readonly id: string;
}

/** What is wrong with a request, as an HTTP answer. */
export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly message: string;
}

export interface GuardOptions {
  /** The address the server listens on. */
  readonly host: string;
  /** Null when the lab runs with --no-auth. */
  readonly token: string | null;
  /** Where a reverse proxy answers for us, such as `https://class.example`. */
  readonly publicUrl?: URL | null;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** The names under which a browser can rightly reach us. */
const ourNames = (host: string): ReadonlySet<string> => {
  const loopback = ['127.0.0.1', 'localhost', '[::1]'];
  if (isLoopback(host)) return new Set([...loopback, bracketed(host)]);
  if (host !== '0.0.0.0' && host !== '::') return new Set([bracketed(host).toLowerCase()]);
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => bracketed(address)),
  );
  return new Set([...loopback, ...addresses, hostname().toLowerCase()]);
};

export class Guard {
  readonly #names: ReadonlySet<string>;
  readonly #tokenHash: Buffer | null;
  readonly #token: string | null;
  readonly #publicUrl: URL | null;
  #port = 0;

  constructor({ host, token, publicUrl = null }: GuardOptions) {
    this.#publicUrl = publicUrl;
    this.#names = ourNames(host);
    this.#tokenHash = token === null ? null : hash(token);
    this.#token = token;
  }

  /** Known only after listening, when the port was 0. */
  setPort(port: number): void {
    this.#port = port;
  }

  /** Every request, also for the page itself. */
  checkOrigin(request: IncomingMessage): Refusal | null {
    const host = request.headers.host?.toLowerCase();
    if (!host || !this.#isOurs(host)) {
      return { status: 421, message: 'this server does not answer under that host name' };
    }
    const { origin } = request.headers;
    const isPublic = host === this.#publicUrl?.host;
    if (
      origin !== undefined &&
      origin !== (isPublic ? this.#publicUrl?.origin : `http://${host}`)
    ) {
      return { status: 403, message: 'another web site may not speak to this server' };
    }
    if (
      request.headers['sec-fetch-site'] === 'cross-site' &&
      request.headers['sec-fetch-mode'] !== 'navigate'
    ) {
      return { status: 403, message: 'another web site may not speak to this server' };
    }
    return null;
  }

  /** API routes: `Authorization: Bearer <token>`. */
  learnerOfRequest(request: IncomingMessage): Learner | Refusal {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    return this.#learnerOf(request, scheme?.toLowerCase() === 'bearer' ? token : undefined);
  }

  /** For the page, before it asks for anything: the cookie of a browser that has none yet. */
  cookieFor(request: IncomingMessage): string | null {
    return sessionOf(request, this.#port) === null ? newSessionCookie(this.#port) : null;
  }

  /** WebSocket: a browser cannot send headers, so the token is offered as a subprotocol. */
  learnerOfUpgrade(request: IncomingMessage): Learner | Refusal {
    const offered = (request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((word) => word.trim());
    return this.#learnerOf(
      request,
      offered.find((word) => word.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length),
    );
  }

  #learnerOf(request: IncomingMessage, token: string | undefined): Learner | Refusal {
    if (this.#tokenHash === null) return this.#learner(request);
    if (token === undefined || token === '') {
      return { status: 401, message: 'a token is needed: open the URL that npm start printed' };
    }
    // Comparing hashes of equal length takes the same time for every wrong token.
    return timingSafeEqual(hash(token), this.#tokenHash)
      ? this.#learner(request)
      : {
          status: 401,
          message: 'this token is not (or no longer) valid: open the URL that npm start printed',
        };
  }

  /** The id stands on the learner's containers, for everybody to read; from it nobody finds the way back to the cookie. */
  #learner(request: IncomingMessage): Learner {
    const session = sessionOf(request, this.#port);
    if (session === null && this.#token === null) return { id: 'local' };
    const words = ['learner', this.#token, session].filter((word) => word !== null);
    return { id: hash(words.join(' ')).toString('hex').slice(0, 12) };
  }

  #isOurs(host: string): boolean {
    if (host === this.#publicUrl?.host) return true;
    const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/.exec(host);
    if (!match?.[1]) return false;
    return this.#names.has(match[1]) && Number(match[2] ?? 80) === this.#port;
  }
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
