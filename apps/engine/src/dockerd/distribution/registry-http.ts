/**
 * One request to a registry, with limits: nothing that a hostile one does may fill memory or wait for ever.
 * Redirects lead to blob stores of others; they never see the registry's credentials.
 * Upstream: moby daemon/pkg/registry, Go's net/http.
 */
import { once } from 'node:events';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';

const MAX_REDIRECTS = 5;
/** Without a byte for so long, the connection counts as broken. */
const IDLE_MS = 60_000;

export interface Trust {
  /** Certificates of the registry's own authority. */
  readonly ca?: readonly string[];
  /** Takes any certificate, as for a registry on loopback. */
  readonly isInsecure: boolean;
}

export interface Asking {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes that come one after another are sent as they come, no faster than they are taken. */
  readonly body?: string | Buffer | AsyncIterable<Uint8Array>;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

/** A connection that could not be made or broke: worth another try. */
export class ConnectionError extends EngineError {
  constructor(message: string, cause: unknown) {
    super('unknown', message, { cause });
  }
}

/** What Go's net/http says, which is what users of Docker search for. */
const wordsOf = (error: NodeJS.ErrnoException, url: URL): string => {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const host = url.hostname;
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ECONNREFUSED':
      return `dial tcp ${host}:${port}: connect: connection refused`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `dial tcp ${host}:${port}: connect: network is unreachable`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'x509: certificate signed by unknown authority';
    case 'EPROTO':
      return 'http: server gave HTTP response to HTTPS client';
    default:
      return messageOf(error);
  }
};

const send = async (
  url: URL,
  { method = 'GET', headers = {}, body, trust, signal }: Asking,
): Promise<IncomingMessage> => {
  const options = {
    method,
    headers: { ...headers },
    signal,
    timeout: IDLE_MS,
    agent: false,
  } as const;
  const request =
    url.protocol === 'https:'
      ? requestHttps(url, {
          ...options,
          rejectUnauthorized: !trust.isInsecure,
          ...(trust.ca ? { ca: [...trust.ca] } : {}),
        })
      : requestHttp(url, options);
  // An answer that breaks off tells it itself; this is the same error once more.
  request.on('error', () => undefined);
  request.on('timeout', () => request.destroy(new Error('i/o timeout')));
  // What goes wrong with the bytes themselves is the failure, and not the broken connection that follows.
  const sending = sendBody(request, body);
  try {
    const [response] = (await Promise.race([once(request, 'response'), sending.then(never)])) as [
      IncomingMessage,
    ];
    response.on('error', () => undefined);
    asked.set(response, url);
    return response;
  } catch (error) {
    signal.throwIfAborted();
    const verb = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
    const words = wordsOf(error as NodeJS.ErrnoException, url);
    throw new ConnectionError(`${verb} "${url.href}": ${words}`, error);
  }
};

const sendBody = async (request: ClientRequest, body: Asking['body']): Promise<void> => {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    request.end(body);
    return;
  }
  try {
    // A server that answers early hangs up: what it says counts then.
    await pipeline(body, request).catch((error: unknown) => {
      if (error instanceof EngineError) throw error;
    });
  } catch (error) {
    request.destroy();
    throw error;
  }
};

const never = (): Promise<never> => new Promise<never>(() => undefined);

const asked = new WeakMap<IncomingMessage, URL>();

/** The address that gave this answer. */
export const askedOf = (response: IncomingMessage): URL => {
  const url = asked.get(response);
  if (!url) throw new Error('not an answer of ours');
  return url;
};

/** Follows redirects. The answer's body is the caller's to read or to destroy. */
export const ask = async (from: URL, asking: Asking): Promise<IncomingMessage> => {
  let url = from;
  let current = asking;
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(url, current);
    const { location } = response.headers;
    // Only what is read may lead elsewhere: an upload's Location says where it goes on.
    if (current.method !== undefined && current.method !== 'GET' && current.method !== 'HEAD')
      return response;
    if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || !location) return response;
    response.destroy();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
    if (redirects >= MAX_REDIRECTS || !next || !/^https?:$/.test(next.protocol)) {
      throw new EngineError('unknown', `Get "${url.href}": refused to follow the redirect`);
    }
    if (next.origin !== from.origin) {
      const { authorization: _, ...rest } = lowerCased(asking.headers);
      current = { ...asking, headers: rest, trust: { isInsecure: false } };
    } else {
      current = asking;
    }
    url = next;
  }
};

const lowerCased = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

export const readLimited = async (response: IncomingMessage, limit: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length;
      if (size > limit) {
        throw new EngineError('invalid_argument', `the registry's answer exceeds ${limit} bytes`);
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new ConnectionError('unexpected EOF', error);
  }
  return Buffer.concat(chunks);
};
