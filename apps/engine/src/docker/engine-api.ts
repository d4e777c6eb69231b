/**
 * The Docker Engine API from the client's side: HTTP over the unix socket that DOCKER_HOST names.
 * The client tells nothing to the trace; like the official one it is seen by the daemon, which knows its pid.
 * Upstream: moby client/.
 */
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { API_VERSION, compareVersions } from '../protocol/docker-engine-api/versions.ts';
import { EngineError } from '../protocol/errdefs.ts';

const DEFAULT_HOST = 'unix:///run/engine-room/docker.sock';

export class DaemonError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const text = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

const failure = async (response: IncomingMessage): Promise<DaemonError> => {
  const body = await text(response);
  let message = body.trim() || `${response.statusCode} ${response.statusMessage}`;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      message = String(parsed.message);
    }
  } catch {
    // Not JSON: the words as they are.
  }
  return new DaemonError(response.statusCode ?? 0, message);
};

export class EngineApi {
  readonly #socketPath: string;
  #version = API_VERSION;

  constructor(host: string = process.env['DOCKER_HOST'] ?? DEFAULT_HOST) {
    if (!host.startsWith('unix://')) {
      throw new EngineError('invalid_argument', `unable to parse docker host \`${host}\``);
    }
    this.#socketPath = host.slice('unix://'.length);
  }

  /** The older of the two versions is spoken. */
  async negotiate(): Promise<void> {
    const response = await this.#send('GET', '/_ping', { isVersioned: false });
    response.resume();
    const theirs = response.headers['api-version'];
    if (typeof theirs === 'string' && compareVersions(theirs, this.#version) < 0) {
      this.#version = theirs;
    }
  }

  /** The answer once its head is there; errors of the daemon are thrown in its words. */
  async stream(method: string, path: string, body?: unknown): Promise<IncomingMessage> {
    const response = await this.#send(method, path, { body });
    if ((response.statusCode ?? 500) >= 400) throw await failure(response);
    return response;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse(await text(await this.stream(method, path, body))) as T;
  }

  async call(method: string, path: string, body?: unknown): Promise<void> {
    await text(await this.stream(method, path, body));
  }

  /** Turns the connection into a stream in both directions. */
  upgrade(path: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const sent = this.#request('POST', path, {
        headers: { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': '0' },
      });
      sent.once('upgrade', (_response, socket, head: Buffer) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
      });
      sent.once('response', (response) => {
        failure(response).then(reject, reject);
      });
      sent.once('error', (error) => reject(this.#unreachable(error)));
      sent.end();
    });
  }

  #send(
    method: string,
    path: string,
    { body, isVersioned = true }: { body?: unknown; isVersioned?: boolean } = {},
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
      const sent = this.#request(method, path, { headers, isVersioned });
      sent.once('response', resolve);
      sent.once('error', (error) => reject(this.#unreachable(error)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #request(
    method: string,
    path: string,
    options: { readonly headers: Record<string, string>; readonly isVersioned?: boolean },
  ) {
    return request({
      socketPath: this.#socketPath,
      method,
      path: options.isVersioned === false ? path : `/v${this.#version}${path}`,
      headers: {
        Host: 'docker',
        'User-Agent': 'Docker-Client/engine-room (linux)',
        ...options.headers,
      },
    });
  }

  #unreachable(error: NodeJS.ErrnoException): Error {
    if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') return error;
    return new Error(
      `Cannot connect to the Docker daemon at unix://${this.#socketPath}. Is the docker daemon running?`,
    );
  }
}
