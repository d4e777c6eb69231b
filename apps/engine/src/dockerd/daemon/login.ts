/** `docker login`: asks a registry whether it takes the credentials. The client keeps them, not we. Upstream: moby daemon/pkg/registry/auth.go. */
import { EngineError } from '../../protocol/errdefs.ts';
import { authorize, parseChallenge, type Credentials } from '../distribution/credentials.ts';
import { endpointsOf, type Endpoint } from '../distribution/endpoint.ts';
import { ask } from '../distribution/registry-http.ts';
import type { Daemon } from './daemon.ts';

const DOCKER_HUB = 'docker.io';

/** `https://index.docker.io/v1/` is what the client calls Docker Hub. */
const hostOf = (address: string): string => {
  const host = address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === '' || host === 'index.docker.io' ? DOCKER_HUB : host;
};

export const login = async (
  daemon: Daemon,
  credentials: Credentials,
  address: string,
): Promise<{ readonly Status: string; readonly IdentityToken: string }> => {
  let failure: unknown = new EngineError('unknown', `no endpoint of ${address} answers`);
  for (const endpoint of await endpointsOf(hostOf(address), daemon.options.registries)) {
    try {
      await loginAt(endpoint, credentials, daemon.signal);
      return { Status: 'Login Succeeded', IdentityToken: '' };
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'unauthorized') throw error;
      failure = error;
    }
  }
  throw failure;
};

const loginAt = async (
  { url, trust }: Endpoint,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<void> => {
  const address = new URL('/v2/', url);
  const asked = await ask(address, { trust, signal });
  asked.destroy();
  const challenge = parseChallenge(asked.headers['www-authenticate']);
  if (asked.statusCode === 200 || !challenge) return;
  const request = { challenge, credentials, registry: url, scope: '', trust, signal };
  const authorization = await authorize(request);
  const headers = authorization === null ? {} : { Authorization: authorization };
  const answer = await ask(address, { headers, trust, signal });
  answer.destroy();
  if (answer.statusCode === 200) return;
  throw new EngineError(
    'unauthorized',
    `Get "${address.href}": unauthorized: incorrect username or password`,
  );
};
