/** What every request and answer have in common; connections that become streams: upgrade.test.ts. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineError, type ErrorKind } from '../../protocol/errdefs.ts';
import { HTTP_STATUS } from './http-status.ts';
import { ROUTES } from './router.ts';
import { ApiUnderTest } from './testing/api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await ApiUnderTest.start();
});
afterEach(() => api.close());

test('every client begins with a ping, whose head tells the version', async () => {
  const { response, body } = await api.send('HEAD', '/_ping');

  expect([response.statusCode, body]).toEqual([200, '']);
  expect(response.headers).toMatchObject({
    'api-version': '1.50',
    ostype: 'linux',
    swarm: 'inactive',
  });
});

test.each([
  [
    '/v1.23/_ping',
    'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  ],
  ['/v9.99/_ping', 'client version 9.99 is too new. Maximum supported API version is 1.50'],
])('%s is turned away', async (url, message) => {
  const { response, body } = await api.send('GET', url);

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(body)).toEqual({ message });
});

test.each(Object.entries(HTTP_STATUS))('an error of kind %s answers %d', async (kind, status) => {
  api.backend.inspect = () => Promise.reject(new EngineError(kind as ErrorKind, 'why'));

  const { response, body } = await api.send('GET', '/v1.44/containers/x/json');

  expect(response.statusCode).toBe(status);
  if (status !== 304) expect(JSON.parse(body)).toEqual({ message: 'why' });
});

test('an unknown path answers 404 in Docker’s words', async () => {
  expect((await api.send('GET', '/nothing')).body).toBe('{"message":"page not found"}\n');
});

test('a body of more than 4 MiB is not read to its end', async () => {
  const { response, body } = await api.send('POST', '/containers/create', {
    body: `{"Image":"${'x'.repeat(5 * 1024 * 1024)}"}`,
    headers: { 'Content-Type': 'application/json' },
  });

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(body)).toEqual({ message: 'http: request body too large' });
});

test('garbage instead of HTTP answers 400, and the next client is served', async () => {
  expect(await api.raw('\x16\x03\x01\x02garbage\r\n\r\n')).toContain('HTTP/1.1 400 Bad Request');
  expect((await api.send('GET', '/_ping')).body).toBe('OK');
});

test.each([
  ['', 'application/json', 'invalid JSON: got EOF while reading request body'],
  ['{', 'application/json', 'invalid JSON: '],
  ['{"Cmd":7}', 'application/json', 'invalid JSON: Cmd'],
  ['{}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"],
])('a body %j of type %s is refused', async (body, type, words) => {
  const { response, body: answer } = await api.send('POST', '/containers/create', {
    body,
    headers: { 'Content-Type': type },
  });

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(answer).message).toContain(words);
});

test('the head of a wait comes at once, its body with the exit', async () => {
  let exit: (result: { exitCode: number; cause: null }) => void = () => undefined;
  api.backend.wait = () =>
    new Promise((resolve) => {
      exit = resolve;
    });
  const response = await new Promise<IncomingMessage>((resolve) => {
    const sent = request(
      { socketPath: api.path, method: 'POST', path: '/containers/x/wait' },
      resolve,
    );
    sent.end();
  });
  expect(response.statusCode).toBe(200);

  exit({ exitCode: 7, cause: null });

  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ StatusCode: 7, Error: null });
});

test('an image’s name may contain slashes', async () => {
  const asked: string[] = [];
  api.backend.inspectImage = (name) => {
    asked.push(name);
    return Promise.reject(new EngineError('not_found', 'no'));
  };

  await api.send('GET', '/v1.50/images/example.com:5000/a/b:c/json');

  expect(asked).toEqual(['example.com:5000/a/b:c']);
});

test.each([
  ['1.43', ['VirtualSize', 'Container', 'ContainerConfig']],
  ['1.44', ['Container', 'ContainerConfig']],
  ['1.45', []],
])('version %s of the API has of an image what it had', async (version, former) => {
  api.backend.inspectImage = (name) => Promise.resolve({ Id: name, Size: 7 } as never);

  const { body } = await api.send('GET', `/v${version}/images/x/json`);

  expect(Object.keys(JSON.parse(body) as object)).toEqual(['Id', 'Size', ...former]);
});

test('a request and its answer are told with their bytes, without secrets', async () => {
  api.backend.pullImage = () => Promise.reject(new EngineError('not_found', 'no registry'));

  await api.send('POST', '/v1.50/images/create?fromImage=a', {
    headers: { 'X-Registry-Auth': 'c2VjcmV0' },
  });

  const messages = api.events.filter((event) => event.type === 'message');
  expect(messages.map(({ direction, summary }) => [direction, summary])).toEqual([
    ['request', 'POST /v1.50/images/create'],
    ['response', '404 Not Found'],
  ]);
  const head = Buffer.from(messages[0]?.raw?.base64 ?? '', 'base64').toString();
  expect(head).toContain('POST /v1.50/images/create?fromImage=a HTTP/1.1\r\n');
  expect(head).not.toContain('c2VjcmV0');
  expect(messages[1]?.body).toEqual({ message: 'no registry' });
  expect(new Set(api.events.map(({ traceId }) => traceId)).size).toBe(1);
});

test('a caller’s own trace is continued, and its messages are its own to tell', async () => {
  const traceId = 'a'.repeat(32);

  await api.send('GET', '/_ping', {
    headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
  });

  expect(api.events.map(({ type }) => type)).toEqual(['spanStarted', 'spanEnded']);
  expect(api.events[0]).toMatchObject({
    traceId,
    parentSpanId: 'b'.repeat(16),
    cause: `${'b'.repeat(16)}/request`,
  });
});

test('a caller that asks not to be recorded is not', async () => {
  await api.send('GET', '/_ping', {
    headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` },
  });

  expect(api.events).toEqual([]);
});

test('the table in README.md is the router', () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| (GET|POST|PUT|DELETE) +\| (\S+) +\| (\w+) +\|$/gm)].map(
    (row) => row.slice(1),
  );

  expect(rows).toEqual(ROUTES.map(({ method, path: route, level }) => [method, route, level]));
});
