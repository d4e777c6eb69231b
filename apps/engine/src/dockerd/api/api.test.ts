/** The HTTP face over a real socket, with a backend that does nothing. */
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineError, type ErrorKind } from '../../protocol/errdefs.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { listenOnSocket } from '../../transport/unix-socket.ts';
import type { Backend } from './backend.ts';
import { ClientProcesses, DOCKER_CLIENTS } from '../../transport/client-processes.ts';
import { HTTP_STATUS } from './http-status.ts';
import { ROUTES } from './router.ts';
import { createApiServer } from './server.ts';

let directory: string;
let path: string;
let server: Server;
let events: TraceEvent[];
let backend: Partial<Backend>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'engine-room-api-'));
  path = join(directory, 'docker.sock');
  events = [];
  backend = { engineVersion: '0' };
  const exporter = {
    export: (event: TraceEvent) => void events.push(event),
    flush: () => Promise.resolve(),
    close: () => undefined,
  };
  const tracer = new Tracer('dockerd', exporter);
  const calls = {
    peerCredentials: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    pidfdOpen: () => -1,
    watchReadable: () => () => undefined,
    close: () => undefined,
  };
  const clients = new ClientProcesses(tracer, calls, DOCKER_CLIENTS);
  server = createApiServer({ backend: backend as Backend, tracer, clients, tls: null });
  await listenOnSocket(server, path);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const send = (
  method: string,
  url: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): Promise<{ response: IncomingMessage; body: string }> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: url, headers: options.headers ?? {} });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ response, body: Buffer.concat(chunks).toString() }));
    });
    sent.end(options.body);
  });

const raw = (text: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket: Socket = connect(path, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
  });

test('every client begins with a ping, whose head tells the version', async () => {
  const { response, body } = await send('HEAD', '/_ping');

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
  const { response, body } = await send('GET', url);

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(body)).toEqual({ message });
});

test.each(Object.entries(HTTP_STATUS))('an error of kind %s answers %d', async (kind, status) => {
  backend.inspect = () => Promise.reject(new EngineError(kind as ErrorKind, 'why'));

  const { response, body } = await send('GET', '/v1.44/containers/x/json');

  expect(response.statusCode).toBe(status);
  if (status !== 304) expect(JSON.parse(body)).toEqual({ message: 'why' });
});

test('an unknown path answers 404 in Docker’s words', async () => {
  expect((await send('GET', '/nothing')).body).toBe('{"message":"page not found"}\n');
});

test('a body of more than 4 MiB is not read to its end', async () => {
  const { response, body } = await send('POST', '/containers/create', {
    body: `{"Image":"${'x'.repeat(5 * 1024 * 1024)}"}`,
    headers: { 'Content-Type': 'application/json' },
  });

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(body)).toEqual({ message: 'http: request body too large' });
});

test('garbage instead of HTTP answers 400, and the next client is served', async () => {
  expect(await raw('\x16\x03\x01\x02garbage\r\n\r\n')).toContain('HTTP/1.1 400 Bad Request');
  expect((await send('GET', '/_ping')).body).toBe('OK');
});

test.each([
  ['', 'application/json', 'invalid JSON: got EOF while reading request body'],
  ['{', 'application/json', 'invalid JSON: '],
  ['{"Cmd":7}', 'application/json', 'invalid JSON: Cmd'],
  ['{}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"],
])('a body %j of type %s is refused', async (body, type, words) => {
  const { response, body: answer } = await send('POST', '/containers/create', {
    body,
    headers: { 'Content-Type': type },
  });

  expect(response.statusCode).toBe(400);
  expect(JSON.parse(answer).message).toContain(words);
});

test('the head of a wait comes at once, its body with the exit', async () => {
  let exit: (result: { exitCode: number; cause: null }) => void = () => undefined;
  backend.wait = () =>
    new Promise((resolve) => {
      exit = resolve;
    });
  const response = await new Promise<IncomingMessage>((resolve) => {
    const sent = request({ socketPath: path, method: 'POST', path: '/containers/x/wait' }, resolve);
    sent.end();
  });
  expect(response.statusCode).toBe(200);

  exit({ exitCode: 7, cause: null });

  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ StatusCode: 7, Error: null });
});

test.each([
  ['1.41', false, 'raw-stream'],
  ['1.42', false, 'multiplexed-stream'],
  ['1.50', true, 'raw-stream'],
])(
  'attach in API %s (terminal: %s) answers 101 UPGRADED and a %s',
  async (version, isTerminal, type) => {
    backend.attach = async (_name, _options, accept) => {
      const stream = accept({ isTerminal });
      for await (const chunk of stream) stream.write(chunk as Buffer);
      stream.end();
    };
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect({ path, allowHalfOpen: true }, () =>
        // The beginning of the stream travels with the request.
        socket.end(
          `POST /v${version}/containers/x/attach?stdin=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nhello`,
        ),
      );
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
    });

    expect(answer).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    expect(answer).toContain(`application/vnd.docker.${type}\r\n`);
    expect(answer.split('\r\n\r\n')[1]).toBe('hello');
  },
);

test('an attach that is refused gets a status and one line, as Docker writes it', async () => {
  backend.attach = () => Promise.reject(new EngineError('not_found', 'No such container: x'));

  const answer = await raw(
    'POST /containers/x/attach HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );

  expect(answer).toContain('404 Not Found');
  expect(answer).toContain('Content-Type: application/vnd.docker.raw-stream');
  expect(answer).toContain('No such container: x\r\n');
  expect(answer).not.toContain('"message"');
});

test.each([
  ['with its head', (body: string) => [`${body}stream`]],
  ['after its head, in pieces', (body: string) => ['', body.slice(0, 5), `${body.slice(5)}stream`]],
])('the body of an upgrade request may come %s', async (_, inPieces) => {
  const seen: unknown[] = [];
  backend.startExec = async (id, { isDetached, accept }) => {
    seen.push(id, isDetached);
    const stream = accept();
    stream.once('data', (bytes: Buffer) => stream.end(`got ${bytes.toString()}`));
    await Promise.resolve();
  };
  const body = '{"Detach":false}';
  const head = `POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
  const [first = '', ...rest] = inPieces(body);
  let answer = '';
  const socket = connect(path, () => socket.write(head + first));
  const closed = new Promise((resolve) => {
    socket.on('close', resolve);
  });
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => {
    server.once('upgrade', resolve);
  });
  for (const piece of rest) socket.write(piece);
  await closed;

  expect(seen).toEqual(['e1', false]);
  expect(answer).toContain('101 UPGRADED');
  expect(answer).toContain('got stream');
});

test('the body of an upgrade request has a limit', async () => {
  const answer = await raw(
    'POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Length: 999999999\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );

  expect(answer).toContain('400 Bad Request');
  expect(answer).toContain('request body too large');
});

const PARSES_UPGRADES = Number(process.versions.node.split('.')[0]) >= 26;

test('a client that goes before its body is whole is forgotten', async () => {
  const socket = connect(path, () =>
    socket.end(
      'POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{',
    ),
  );
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });

  // Node hangs up by itself since version 26.
  if (answer === '' && PARSES_UPGRADES) return;
  expect(answer).toContain('400 Bad Request');
  expect(answer).toContain('unexpected EOF');
});

test('an image’s name may contain slashes', async () => {
  const asked: string[] = [];
  backend.inspectImage = (name) => {
    asked.push(name);
    return Promise.reject(new EngineError('not_found', 'no'));
  };

  await send('GET', '/v1.50/images/example.com:5000/a/b:c/json');

  expect(asked).toEqual(['example.com:5000/a/b:c']);
});

test.each([
  ['1.43', ['VirtualSize', 'Container', 'ContainerConfig']],
  ['1.44', ['Container', 'ContainerConfig']],
  ['1.45', []],
])('version %s of the API has of an image what it had', async (version, former) => {
  backend.inspectImage = (name) => Promise.resolve({ Id: name, Size: 7 } as never);

  const { body } = await send('GET', `/v${version}/images/x/json`);

  expect(Object.keys(JSON.parse(body) as object)).toEqual(['Id', 'Size', ...former]);
});

test('a request and its answer are told with their bytes, without secrets', async () => {
  backend.pullImage = () => Promise.reject(new EngineError('not_found', 'no registry'));

  await send('POST', '/v1.50/images/create?fromImage=a', {
    headers: { 'X-Registry-Auth': 'c2VjcmV0' },
  });

  const messages = events.filter((event) => event.type === 'message');
  expect(messages.map(({ direction, summary }) => [direction, summary])).toEqual([
    ['request', 'POST /v1.50/images/create'],
    ['response', '404 Not Found'],
  ]);
  const head = Buffer.from(messages[0]?.raw?.base64 ?? '', 'base64').toString();
  expect(head).toContain('POST /v1.50/images/create?fromImage=a HTTP/1.1\r\n');
  expect(head).not.toContain('c2VjcmV0');
  expect(messages[1]?.body).toEqual({ message: 'no registry' });
  expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
});

test('a caller’s own trace is continued, and its messages are its own to tell', async () => {
  const traceId = 'a'.repeat(32);

  await send('GET', '/_ping', { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });

  expect(events.map(({ type }) => type)).toEqual(['spanStarted', 'spanEnded']);
  expect(events[0]).toMatchObject({
    traceId,
    parentSpanId: 'b'.repeat(16),
    cause: `${'b'.repeat(16)}/request`,
  });
});

test('a caller that asks not to be recorded is not', async () => {
  await send('GET', '/_ping', {
    headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` },
  });

  expect(events).toEqual([]);
});

test('the table in README.md is the router', () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| (GET|POST|PUT|DELETE) +\| (\S+) +\| (\w+) +\|$/gm)].map(
    (row) => row.slice(1),
  );

  expect(rows).toEqual(ROUTES.map(({ method, path: route, level }) => [method, route, level]));
});
