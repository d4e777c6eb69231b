/** The filter before a server that answers everything: what must not pass must not reach it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { SocketProxy } from './socket-proxy.ts';

let folder = '';
let behind: Server;
let proxy: SocketProxy;
let heard: string[] = [];
let events: TraceEvent[] = [];
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

beforeEach(async () => {
  heard = [];
  events = [];
  folder = mkdtempSync(join(tmpdir(), 'socket-proxy-'));
  behind = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${String(request.headers['traceparent'])}`);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Api-Version': '1.50' });
    response.end('[]');
  });
  await new Promise<void>((resolve) => {
    behind.listen(join(folder, 'docker.sock'), resolve);
  });
  proxy = new SocketProxy({
    socketPath: join(folder, 'proxy.sock'),
    owner,
    dockerSocket: join(folder, 'docker.sock'),
    peerCredentials: () => ({ pid: process.pid, ...owner }),
    tell: (event) => events.push(event),
  });
  await proxy.listen();
});

afterEach(async () => {
  await proxy.close();
  behind.close();
  rmSync(folder, { recursive: true });
});

/** Bytes as a client may send them, whatever a library would make of them. */
const send = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const client = connect(join(folder, 'proxy.sock'));
    let answer = '';
    client.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    client.on('close', () => resolve(answer));
    client.on('error', reject);
    // Not the end of it: a client that closes its half has gone, as far as Node's server is concerned.
    client.write(text);
  });

const get = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: docker\r\n${more}Connection: close\r\n\r\n`;

test('what is on the list reaches the engine, in the trace of who asked', async () => {
  const answer = await send(get('/v1.41/containers/json?all=1'));

  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/^api-version: 1\.50\r$/im);
  expect(answer).toMatch(/\[\]/);
  expect(heard).toEqual([
    expect.stringMatching(
      /^GET \/v1\.41\/containers\/json\?all=1 00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    ),
  ]);
  const [traceId] = new Set(events.map((event) => event.traceId));
  expect(heard[0]).toContain(traceId);
  expect(
    events.flatMap((event) =>
      event.type === 'message' ? [[event.from.actor, event.to.actor, event.summary]] : [],
    ),
  ).toEqual([
    ['docker', 'lab', 'GET /v1.41/containers/json'],
    ['lab', 'dockerd', 'GET /v1.41/containers/json'],
    ['dockerd', 'lab', '200 OK'],
    ['lab', 'docker', '200 OK'],
  ]);
});

test('everything else is answered here, as Docker answers, and told', async () => {
  const answer = await send(
    'POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
  );

  expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  expect(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))).toEqual({
    message: 'socket proxy: POST /v1.41/containers/create is not on the list of what may pass',
  });
  expect(heard).toEqual([]);
  const summaries = events.flatMap((event) => (event.type === 'message' ? [event.summary] : []));
  expect(summaries).toEqual(['POST /v1.41/containers/create', '403 Forbidden']);
});

test.each([
  ['an upgrade', get('/containers/json', 'Upgrade: tcp\r\nConnection: Upgrade\r\n')],
  ['a body', get('/containers/json', 'Content-Length: 5\r\n') + 'hello'],
  ['chunks', get('/containers/json', 'Transfer-Encoding: chunked\r\n') + '0\r\n\r\n'],
  ['a second request in the shadow of the first', `${get('/containers/x/json')}${get('/_ping')}`],
  ['no HTTP at all', 'hello\r\n\r\n'],
])('%s does not get through', async (_what, bytes) => {
  const answer = await send(bytes);

  expect(answer).toMatch(/^HTTP\/1\.1 (403|400) /);
  expect(heard).toEqual([]);
});

test('an engine that is away is said to be', async () => {
  behind.closeAllConnections();
  await new Promise((resolve) => {
    behind.close(resolve);
  });
  rmSync(join(folder, 'docker.sock'), { force: true });

  const answer = await send(get('/version'));

  expect(answer).toMatch(/^HTTP\/1\.1 502 /);
  expect(answer).toContain('dockerd does not answer');
});
