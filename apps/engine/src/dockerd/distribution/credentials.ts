/**
 * Who asks: what the client sends in `X-Registry-Auth`, and what the registry demands in `WWW-Authenticate`.
 * Reference: https://distribution.github.io/distribution/spec/auth/token/
 */
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import { ask, readLimited, type Trust } from './registry-http.ts';

const text = z
  .string()
  .max(64 * 1024)
  .default('');
const RegistryAuth = z.object({
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text,
});
export type Credentials = z.output<typeof RegistryAuth>;
export const NOBODY: Credentials = RegistryAuth.parse({});

const TOKEN_LIMIT_BYTES = 256 * 1024;

/** Base64 of JSON. What cannot be read counts as no credentials, as in Docker. */
export const parseRegistryAuth = (header: string | undefined): Credentials => {
  if (!header) return NOBODY;
  try {
    return RegistryAuth.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    return NOBODY;
  }
};

export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

export const parseChallenge = (header: string | undefined): Challenge | null => {
  const [, scheme = '', rest = ''] = /^\s*(basic|bearer)\b\s*(.*)$/i.exec(header ?? '') ?? [];
  if (scheme === '') return null;
  const pairs = rest.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi);
  return {
    scheme: scheme.toLowerCase() === 'basic' ? 'basic' : 'bearer',
    parameters: new Map(
      [...pairs].map(([, name = '', quoted, bare]) => [name.toLowerCase(), quoted ?? bare ?? '']),
    ),
  };
};

const basic = ({ username, password }: Credentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

const Token = z.object({ token: text, access_token: text });

export interface TokenRequest {
  readonly challenge: Challenge;
  readonly credentials: Credentials;
  /** The registry that demands it. */
  readonly registry: URL;
  readonly scope: string;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

/** The `Authorization` header that answers the challenge, or null when we have nothing to say. */
export const authorize = async (wanted: TokenRequest): Promise<string | null> => {
  const { challenge, credentials } = wanted;
  if (challenge.scheme === 'basic') return credentials.username === '' ? null : basic(credentials);
  if (credentials.registrytoken !== '') return `Bearer ${credentials.registrytoken}`;
  return `Bearer ${await fetchToken(wanted)}`;
};

/** A registry wants a name and a password, and there are none. Docker names the request for a pull, and not for a push. */
export class NoCredentialsError extends EngineError {
  static readonly words = 'no basic auth credentials';
  constructor(asked: string) {
    super('unknown', `${asked}: ${NoCredentialsError.words}`);
  }
}

/**
 * For a pull or a push, where Docker fails with 500 whatever is missing: at a 401 the client would ask for a name and wait.
 * `asked` is method and address of the request that needs it.
 */
export const mustAuthorize = async (asked: string, wanted: TokenRequest): Promise<string> => {
  const authorization = await authorize(wanted).catch((error: unknown) => {
    throw error instanceof EngineError ? new EngineError('unknown', error.message) : error;
  });
  if (authorization !== null) return authorization;
  const [method = '', address] = asked.split(' ');
  const verb = `${method.charAt(0)}${method.slice(1).toLowerCase()}`;
  throw new NoCredentialsError(`${verb} "${address}"`);
};

const realmOf = ({ challenge, registry }: TokenRequest): URL => {
  const realm = challenge.parameters.get('realm') ?? '';
  const url = URL.canParse(realm) ? new URL(realm) : null;
  // A registry behind TLS must not have our password sent in the clear.
  const isWeaker = url?.protocol === 'http:' && registry.protocol === 'https:';
  if (url && /^https?:$/.test(url.protocol) && !isWeaker) return url;
  throw new EngineError('unauthorized', `invalid token realm "${realm}" of ${registry.host}`);
};

const fetchToken = async (wanted: TokenRequest): Promise<string> => {
  const { challenge, credentials, registry, scope, trust, signal } = wanted;
  const realm = realmOf(wanted);
  const service = challenge.parameters.get('service') ?? '';
  const isSameHost = realm.host === registry.host;
  const common = { signal, trust: isSameHost ? trust : { ...trust, isInsecure: false } };
  const isRefresh = credentials.identitytoken !== '';
  const fields = new URLSearchParams({ service, scope });
  if (isRefresh) {
    fields.set('client_id', 'docker');
    fields.set('grant_type', 'refresh_token');
    fields.set('refresh_token', credentials.identitytoken);
  } else {
    if (credentials.username !== '') fields.set('account', credentials.username);
    for (const [name, value] of fields) realm.searchParams.set(name, value);
  }
  const response = isRefresh
    ? await ask(realm, {
        ...common,
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: fields.toString(),
      })
    : await ask(realm, {
        ...common,
        headers: credentials.username === '' ? {} : { Authorization: basic(credentials) },
      });
  const body = await readLimited(response, TOKEN_LIMIT_BYTES);
  if (response.statusCode !== 200) {
    throw new EngineError('unauthorized', 'unauthorized: authentication required');
  }
  const parsed = Token.safeParse(parseJson(body));
  const token = parsed.success ? parsed.data.token || parsed.data.access_token : '';
  if (token === '' || /[^\x21-\x7e]/.test(token)) {
    throw new EngineError(
      'unauthorized',
      'authorization server did not include a token in the response',
    );
  }
  return token;
};

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
};
