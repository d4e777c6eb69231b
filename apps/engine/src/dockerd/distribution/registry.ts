/**
 * One repository of one registry: manifests and blobs over the distribution API.
 * Upstream: moby daemon/internal/distribution/registry.go. Reference: https://github.com/opencontainers/distribution-spec
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Descriptor } from '../containerd-client/descriptor.ts';
import { mustAuthorize, parseChallenge, type Challenge, type Credentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { ask, askedOf, ConnectionError, readLimited } from './registry-http.ts';

export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
const ERROR_LIMIT_BYTES = 64 * 1024;
const ATTEMPTS = 5;
const LONGEST_WAIT_MS = 60_000;

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const ACCEPTED = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', ');

/** The registry has answered, and the answer is no. `code` is the registry's own, e.g. MANIFEST_UNKNOWN. */
export class RegistryError extends EngineError {
  readonly code: string;
  readonly status: number;
  constructor(status: number, code: string, message: string) {
    super('unknown', message);
    this.code = code;
    this.status = status;
  }
}

const Errors = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().default('') })).min(1),
});

const errorOf = async (response: IncomingMessage): Promise<RegistryError> => {
  const status = response.statusCode ?? 0;
  const body = await readLimited(response, ERROR_LIMIT_BYTES).catch(() => Buffer.alloc(0));
  try {
    const [first] = Errors.parse(JSON.parse(body.toString('utf8'))).errors;
    const code = first?.code ?? '';
    const words = code.toLowerCase().replaceAll('_', ' ');
    return new RegistryError(status, code, `${words}: ${first?.message ?? ''}`.slice(0, 1024));
  } catch {
    const code = status === 401 ? 'UNAUTHORIZED' : '';
    const words = `received unexpected HTTP status: ${status} ${response.statusMessage ?? ''}`;
    return new RegistryError(status, code, words.trim());
  }
};

export interface RegistryOptions {
  readonly endpoints: readonly Endpoint[];
  readonly repository: string;
  readonly credentials: Credentials;
  /** What is asked of the token server. */
  readonly actions?: 'pull' | 'pull,push';
  readonly signal: AbortSignal;
  /** Doubled with each attempt. */
  readonly retryDelayMs: number;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  /** Below the repository; or a whole address that the registry named itself. */
  readonly path?: string;
  readonly url?: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | AsyncIterable<Uint8Array>;
}

/** Where an upload goes on; relative to where it began. */
const locationOf = (response: IncomingMessage): URL => {
  const { location = '' } = response.headers;
  const base = askedOf(response);
  const url = URL.canParse(location, base.href) ? new URL(location, base) : null;
  // From TLS back to plain text would show what we send to everybody.
  const isWeaker = url?.protocol === 'http:' && base.protocol === 'https:';
  if (!url || location === '' || !/^https?:$/.test(url.protocol) || isWeaker)
    throw new EngineError('unknown', 'the registry did not say where to upload to');
  return url;
};

export interface RawManifest extends Descriptor {
  readonly bytes: Buffer;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #stopping = new AbortController();
  #endpoint: Endpoint | null = null;
  #challenge: Challenge | null = null;
  #authorization: string | null = null;

  constructor(options: RegistryOptions) {
    const signal = AbortSignal.any([options.signal, this.#stopping.signal]);
    this.#options = { ...options, signal };
  }

  /** Ends whatever is under way. */
  readonly stop = (): void => this.#stopping.abort();

  /** Finds the endpoint that answers, and what it demands. */
  async ping(): Promise<void> {
    let failure: unknown;
    for (const endpoint of this.#options.endpoints) {
      try {
        const asking = { trust: endpoint.trust, signal: this.#options.signal };
        const response = await ask(new URL('/v2/', endpoint.url), asking);
        response.destroy();
        this.#endpoint = endpoint;
        this.#challenge = parseChallenge(response.headers['www-authenticate']);
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async tags(): Promise<string[]> {
    const response = await this.#get('tags/list', {});
    const body = await readLimited(response, MANIFEST_LIMIT_BYTES);
    const { tags } = z
      .object({ tags: z.array(z.string().regex(/^\w[\w.-]{0,127}$/)).nullable() })
      .parse(JSON.parse(body.toString('utf8')));
    return tags ?? [];
  }

  /** False when the registry does not have it. */
  async hasBlob(digest: string): Promise<boolean> {
    const response = await this.send({ method: 'HEAD', path: `blobs/${digest}` });
    response.destroy();
    if (response.statusCode === 200) return true;
    if (response.statusCode === 404) return false;
    throw await errorOf(response);
  }

  /**
   * Begins an upload, sends the bytes, and has the registry check the digest. `chunks` is asked for anew with each
   * attempt: an upload that broke begins again.
   */
  async upload(
    { digest, size }: Descriptor,
    chunks: () => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const begun = await this.#accepted({ method: 'POST', path: 'blobs/uploads/' }, 202);
        const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': `${size}` };
        const url = locationOf(begun);
        const sent = await this.#accepted({ method: 'PATCH', url, headers, body: chunks() }, 202);
        const last = locationOf(sent);
        last.searchParams.set('digest', digest);
        await this.#accepted({ method: 'PUT', url: last }, 201);
        return;
      } catch (error) {
        this.#options.signal.throwIfAborted();
        const isBusy =
          error instanceof RegistryError && (error.status === 429 || error.status >= 500);
        if ((!(error instanceof ConnectionError) && !isBusy) || attempt >= ATTEMPTS) throw error;
        await this.#pause(attempt);
      }
    }
  }

  async putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void> {
    await this.#accepted(
      {
        method: 'PUT',
        path: `manifests/${reference}`,
        headers: { 'Content-Type': mediaType, 'Content-Length': `${bytes.length}` },
        body: bytes,
      },
      201,
    );
  }

  /** The answer's head; its body is not wanted. */
  async #accepted(request: RegistryRequest, status: number): Promise<IncomingMessage> {
    const response = await this.send(request);
    if (response.statusCode !== status) throw await errorOf(response);
    response.destroy();
    return response;
  }

  /** By tag or by digest; what was asked for by digest has that digest. */
  async manifest(reference: string): Promise<RawManifest> {
    const response = await this.#get(`manifests/${reference}`, { Accept: ACCEPTED });
    const bytes = await readLimited(response, MANIFEST_LIMIT_BYTES);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (reference.includes(':') && reference !== digest) {
      throw new EngineError(
        'invalid_argument',
        `manifest verification failed for digest ${reference}`,
      );
    }
    const mediaType = (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
    return { mediaType, digest, size: bytes.length, bytes };
  }

  /** The blob's bytes. A connection that breaks is made again, and goes on where it stopped. */
  async *blob({ digest, size }: Descriptor): AsyncGenerator<Buffer> {
    let offset = 0;
    for (let attempt = 1; offset < size || attempt === 1; attempt += 1) {
      const from = offset;
      try {
        const headers = offset === 0 ? {} : { Range: `bytes=${offset}-` };
        const response = await this.#get(`blobs/${digest}`, headers);
        // A store without ranges begins again: what we have is skipped.
        let skip = response.statusCode === 206 ? 0 : offset;
        for await (const piece of response) {
          const chunk = (piece as Buffer).subarray(Math.min(skip, (piece as Buffer).length));
          skip -= (piece as Buffer).length - chunk.length;
          offset += chunk.length;
          if (offset > size) {
            throw new EngineError(
              'invalid_argument',
              `blob ${digest} is longer than ${size} bytes`,
            );
          }
          if (chunk.length > 0) yield chunk;
        }
        if (offset === size) return;
        throw new ConnectionError(`blob ${digest}: unexpected EOF`, undefined);
      } catch (error) {
        this.#options.signal.throwIfAborted();
        if (error instanceof EngineError && !(error instanceof ConnectionError)) throw error;
        // Progress earns new attempts.
        if (offset > from) attempt = 1;
        if (attempt >= ATTEMPTS) throw new ConnectionError('unexpected EOF', error);
        await this.#pause(attempt);
      }
    }
  }

  async #get(path: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.send({ method: 'GET', path, headers });
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return response;
      const isBusy = status === 429 || status >= 500;
      if (!isBusy || attempt >= ATTEMPTS) throw await errorOf(response);
      response.destroy();
      await this.#pause(attempt, Number(response.headers['retry-after']));
    }
  }

  /** An answer of 401 names what is demanded; it is asked once more with that. */
  async send({ method, path = '', url: given, headers, body }: RegistryRequest) {
    if (!this.#endpoint) await this.ping();
    const endpoint = this.#endpoint as Endpoint;
    const { repository, signal, credentials, actions = 'pull' } = this.#options;
    const url = given ?? new URL(`/v2/${repository}/${path}`, endpoint.url);
    // An upload may lead to a store of somebody else, who must not see the registry's credentials.
    const isOurs = url.origin === endpoint.url.origin;
    for (let isAgain = false; ; isAgain = true) {
      if (this.#authorization === null && this.#challenge) {
        this.#authorization = await mustAuthorize(`${method} ${url.href}`, {
          challenge: this.#challenge,
          credentials,
          registry: endpoint.url,
          scope: `repository:${repository}:${actions}`,
          trust: endpoint.trust,
          signal,
        });
      }
      const own =
        this.#authorization === null || !isOurs ? {} : { Authorization: this.#authorization };
      const response = await ask(url, {
        method,
        ...(body === undefined ? {} : { body }),
        headers: { 'User-Agent': 'engine-room', ...headers, ...own },
        trust: isOurs ? endpoint.trust : { isInsecure: false },
        signal,
      });
      // A stream of bytes cannot be sent a second time.
      const isOver = isAgain || !isOurs || (body !== undefined && !Buffer.isBuffer(body));
      if (response.statusCode !== 401 || isOver) return response;
      const challenge = parseChallenge(response.headers['www-authenticate']);
      if (!challenge) return response;
      response.destroy();
      this.#challenge = challenge;
      // A token may have expired in the middle of a long pull.
      this.#authorization = null;
    }
  }

  async #pause(attempt: number, wantedSeconds = Number.NaN): Promise<void> {
    const { retryDelayMs, signal } = this.#options;
    const wanted = Number.isFinite(wantedSeconds) ? wantedSeconds * 1000 : 0;
    const ownMs = retryDelayMs * 2 ** (attempt - 1);
    await setTimeout(Math.min(LONGEST_WAIT_MS, Math.max(wanted, ownMs)), undefined, { signal });
  }
}
