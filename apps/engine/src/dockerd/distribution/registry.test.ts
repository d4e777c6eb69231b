/** The client against a registry on loopback that misbehaves on purpose. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { NOBODY, parseChallenge, parseRegistryAuth } from './credentials.ts';
import { hostPlatform, parsePlatform, resolve } from './manifest.ts';
import { Registry } from './registry.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const serve = async (handler: Handler): Promise<URL> => {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
};

const registryAt = (url: URL, credentials = NOBODY): Registry =>
  new Registry({
    endpoints: [{ url, trust: { isInsecure: true } }],
    repository: 'app',
    credentials,
    signal: new AbortController().signal,
    retryDelayMs: 1,
  });

const digestOf = (bytes: string | Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const BLOB = Buffer.alloc(100_000, 'layer ');
const blob = { mediaType: '', digest: digestOf(BLOB), size: BLOB.length };
const all = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
};

test('a connection that breaks in the middle is resumed with a range', async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    if (!request.url?.includes('/blobs/')) return void response.end();
    ranges.push(request.headers.range);
    if (ranges.length === 1) {
      response.writeHead(200, { 'Content-Length': BLOB.length });
      response.write(BLOB.subarray(0, 40_000), () => response.destroy());
      return;
    }
    response.writeHead(206);
    response.end(BLOB.subarray(Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1])));
  });

  expect((await all(registryAt(url).blob(blob))).equals(BLOB)).toBe(true);
  expect(ranges).toHaveLength(2);
  expect(ranges[0]).toBeUndefined();
});

test('a store without ranges begins again, and what is there already is skipped', async () => {
  let asked = 0;
  const url = await serve((request, response) => {
    if (!request.url?.includes('/blobs/')) return void response.end();
    asked += 1;
    response.writeHead(200, { 'Content-Length': BLOB.length });
    if (asked === 1) response.write(BLOB.subarray(0, 40_000), () => response.destroy());
    else response.end(BLOB);
  });

  expect((await all(registryAt(url).blob(blob))).equals(BLOB)).toBe(true);
});

test('a blob that goes on for longer than its manifest says is cut off', async () => {
  const url = await serve((request, response) => {
    response.end(request.url?.includes('/blobs/') ? Buffer.concat([BLOB, BLOB]) : '');
  });

  await expect(all(registryAt(url).blob(blob))).rejects.toThrow('is longer than 100000 bytes');
});

test('a registry that is too busy is asked again', async () => {
  let asked = 0;
  const url = await serve((request, response) => {
    if (!request.url?.includes('/manifests/')) return void response.end();
    asked += 1;
    if (asked < 3) response.writeHead(429, { 'Retry-After': '0' }).end();
    else response.end('{}');
  });

  expect((await registryAt(url).manifest('latest')).digest).toBe(digestOf('{}'));
  expect(asked).toBe(3);
});

test('a token is fetched with the password, and only the registry sees the token', async () => {
  const seen: Record<string, string | undefined> = {};
  const store = await serve((request, response) => {
    seen['store'] = request.headers.authorization;
    response.end(BLOB);
  });
  const token = await serve((request, response) => {
    seen['token'] = `${request.headers.authorization} ${request.url}`;
    response.end('{"token":"abc"}');
  });
  const url = await serve((request, response) => {
    if (request.headers.authorization !== 'Bearer abc') {
      const challenge = `Bearer realm="${token.href}token",service="test",scope="ignored"`;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
      return;
    }
    response.writeHead(307, { Location: `${store.href}blob` }).end();
  });
  const credentials = { ...NOBODY, username: 'me', password: 'pw' };

  await all(registryAt(url, credentials).blob(blob));

  expect(seen['token']).toBe(
    `Basic ${Buffer.from('me:pw').toString('base64')} /token?service=test&scope=repository%3Aapp%3Apull&account=me`,
  );
  expect(seen['store']).toBeUndefined();
});

test('redirects without end are refused', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/v2/') response.end();
    else response.writeHead(302, { Location: '/again' }).end();
  });

  await expect(registryAt(url).manifest('latest')).rejects.toThrow(
    'refused to follow the redirect',
  );
});

test('a manifest that is not what its digest says is refused', async () => {
  const url = await serve((_request, response) => response.end('{}'));
  const digest = digestOf('something else');

  await expect(registryAt(url).manifest(digest)).rejects.toThrow(
    `manifest verification failed for digest ${digest}`,
  );
});

test('an index is followed to the platform that was asked for', async () => {
  const size = 2;
  const manifest = JSON.stringify({
    config: { mediaType: 'c', digest: blob.digest, size },
    layers: [],
  });
  const index = JSON.stringify({
    manifests: [
      {
        mediaType: 'm',
        digest: digestOf('other'),
        size,
        platform: { os: 'linux', architecture: 's390x' },
      },
      { mediaType: 'm', digest: digestOf(manifest), size, platform: hostPlatform() },
    ],
  });
  const url = await serve((request, response) => {
    const isIndex = request.url?.endsWith('/latest') ?? false;
    const type = isIndex ? 'index' : 'manifest';
    response.writeHead(200, { 'Content-Type': `application/vnd.oci.image.${type}.v1+json` });
    response.end(isIndex ? index : manifest);
  });

  const resolved = await resolve(registryAt(url), 'latest', hostPlatform());

  expect(resolved.top.digest).toBe(digestOf(index));
  expect(resolved.manifest.digest).toBe(digestOf(manifest));
  await expect(
    resolve(registryAt(url), 'latest', { os: 'linux', architecture: 'riscv64', variant: '' }),
  ).rejects.toThrow('no matching manifest for linux/riscv64 in the manifest list entries');
});

test('manifests of the first schema are refused', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, {
      'Content-Type': 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    });
    response.end('{"schemaVersion":1}');
  });

  await expect(resolve(registryAt(url), 'latest', hostPlatform())).rejects.toThrow('schema 1');
});

test.each([
  ['', null],
  ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  ['aarch64', { os: 'linux', architecture: 'arm64', variant: '' }],
])('the platform "%s"', (text, platform) => {
  expect(parsePlatform(text)).toEqual(platform);
});

test('a challenge is read with and without quotes', () => {
  const challenge = parseChallenge('Bearer realm="https://a/b?c=d",service=x, scope="r:a,b"');

  expect(challenge?.scheme).toBe('bearer');
  expect(Object.fromEntries(challenge?.parameters ?? [])).toEqual({
    realm: 'https://a/b?c=d',
    service: 'x',
    scope: 'r:a,b',
  });
  expect(parseChallenge('Digest realm="x"')).toBeNull();
});

test('credentials that cannot be read are nobody’s', () => {
  expect(parseRegistryAuth('not base64 of json')).toEqual(NOBODY);
  expect(parseRegistryAuth(Buffer.from('{"username":"u"}').toString('base64')).username).toBe('u');
});
