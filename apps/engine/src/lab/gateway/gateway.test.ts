import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { ClientFrame, ServerFrame } from '../../protocol/trace/stream.ts';
import { decodeTraceFile } from '../collector/trace-file.ts';
import { TraceStore } from '../collector/trace-store.ts';
import { GateKeeper } from '../gates/gate-keeper.ts';
import { GateService } from '../gates/gate-service.ts';
import { aProcess, aSpanEvent, aSpanStarted, TRACE } from '../testing/events.ts';
import { A_STATUS, testRooms } from '../testing/rooms.ts';
import { Gateway } from './gateway.ts';
import { UNACKED_LIMIT } from './page-connection.ts';

const TOKEN = 'a-token';

let folder: string;
let store: TraceStore;
let gateway: Gateway;
let port: number;
let commands: string[];
const pages: WebSocket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lab-gateway-'));
  mkdirSync(join(folder, 'web/assets'), { recursive: true });
  writeFileSync(
    join(folder, 'web/index.html'),
    '<!doctype html><script>boot()</script><script src="/assets/a.js"></script>',
  );
  writeFileSync(join(folder, 'web/assets/a.js'), '1');
  store = new TraceStore({ directory: join(folder, 'traces'), isAlive: () => true });
  await store.load();
  commands = [];
  gateway = new Gateway({
    rooms: testRooms(folder, store),
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    webRoot: join(folder, 'web'),
    backend: {
      store,
      engine: () => A_STATUS,
      run: (command) => {
        commands.push(command);
        const refused = { status: 403, message: 'no', position: 3 } as const;
        const accepted = { traceId: TRACE, pid: 1, argv: ['docker'], injected: [] };
        return Promise.resolve(command === 'bad' ? refused : accepted);
      },
      check: () => Promise.resolve({ observations: [] }),
      stop: (traceId) => Promise.resolve(traceId === TRACE),
      fault: () => Promise.resolve({ status: 409, message: 'dockerd does not run' }),
      gates: new GateService(new GateKeeper({ folder }), () => false),
    },
  });
  port = await gateway.listen();
});

afterEach(async () => {
  for (const page of pages.splice(0)) page.terminate();
  await gateway.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** node:http lets a test send any Host and Origin, which fetch does not. */
const ask = (
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) =>
  new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      {
        port,
        host: '127.0.0.1',
        path,
        method: options.method ?? 'GET',
        headers: options.headers,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });

const AUTH = { Authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('who may speak', () => {
  test('the page needs no token and brings a policy that allows only what stands in it', async () => {
    const page = await ask('/');

    expect(page.status).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/]+=*';/);
    expect(policy).not.toContain('unsafe');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect(page.headers['x-powered-by']).toBeUndefined();
  });

  test.each(['/api/engine', '/api/traces', `/api/traces/${TRACE}`, '/api/unknown'])(
    '%s needs the token, in the header and nowhere else',
    async (path) => {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401);
      expect((await ask(path, { headers: { Authorization: TOKEN } })).status).toBe(401);
      expect((await ask(`${path}?token=${TOKEN}`)).status).toBe(401);
      expect((await ask(path, { headers: { Cookie: `token=${TOKEN}` } })).status).toBe(401);
      expect((await ask(path, { headers: AUTH })).status).not.toBe(401);
    },
  );

  test.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.example',
    '[::1',
    'a b',
  ])('the host name %s is not ours', async (host) => {
    expect((await ask('/', { headers: { Host: host } })).status).toBe(421);
    expect((await ask('/api/engine', { headers: { ...AUTH, Host: host } })).status).toBe(421);
  });

  test.each(['127.0.0.1', 'localhost', '[::1]'])('%s is', async (name) => {
    const headers = { ...AUTH, Host: `${name}:${port}`, Origin: `http://${name}:${port}` };
    expect((await ask('/api/engine', { headers })).status).toBe(200);
  });

  test.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])(
    'a page of %s may not call, even with the token',
    async (origin) => {
      const answer = await ask('/api/run', {
        method: 'POST',
        headers: { ...AUTH, ...JSON_TYPE, Origin: origin },
        body: '{"command":"docker ps"}',
      });

      expect(answer.status).toBe(403);
      expect(commands).toEqual([]);
    },
  );
});

describe('the API', () => {
  const run = (body: string, type = 'application/json') =>
    ask('/api/run', { method: 'POST', headers: { ...AUTH, 'Content-Type': type }, body });

  test('a command is accepted or refused with the place', async () => {
    expect(await run('{"command":"docker ps"}')).toMatchObject({ status: 202 });
    const no = await run('{"command":"bad"}');

    expect(no.status).toBe(403);
    expect(JSON.parse(no.body)).toEqual({ message: 'no', position: 3 });
    expect(commands).toEqual(['docker ps', 'bad']);
  });

  test.each(['', '{', '[]', '{"command":1}', 'null', `{"command":"${'x'.repeat(5000)}"}`])(
    'a body that is no command is a 400: %#',
    async (body) => {
      const answer = await run(body);

      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toHaveProperty('message');
      expect(commands).toEqual([]);
    },
  );

  test('a body that is too large or no JSON is refused unread', async () => {
    expect((await run(`{"command":"${'x'.repeat(100_000)}"}`)).status).toBe(413);
    expect((await run('command=docker+ps', 'application/x-www-form-urlencoded')).status).toBe(400);
    expect(commands).toEqual([]);
  });

  test('a trace comes as its file', async () => {
    store.accept(aSpanStarted());
    const response = await fetch(`http://127.0.0.1:${port}/api/traces/${TRACE}`, { headers: AUTH });
    const { header, lines } = await decodeTraceFile(Buffer.from(await response.arrayBuffer()));

    expect(header).toMatchObject({ format: 'engine-room-trace', summary: { traceId: TRACE } });
    expect(lines).toHaveLength(1);
  });

  test.each(['nonsense', '..%2f..%2fetc%2fpasswd', 'f'.repeat(32), '%00', '%zz'])(
    'there is no trace %s',
    async (id) => {
      const { status } = await ask(`/api/traces/${id}`, { headers: AUTH });
      expect([400, 404]).toContain(status);
    },
  );

  test('a run can be stopped, an unknown one cannot', async () => {
    const stop = (id: string) => ask(`/api/runs/${id}/stop`, { method: 'POST', headers: AUTH });
    expect((await stop(TRACE)).status).toBe(202);
    expect((await stop('f'.repeat(32))).status).toBe(404);
  });

  test('what is no HTTP at all costs the connection and nothing else', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end('\u0016\u0003\u0001 garbage\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];

    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 /);
    expect((await ask('/healthz')).body).toBe('ok\n');
  });
});

interface Page {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[];
  /** The first frame (from now on or already there) that fits. */
  readonly next: <T extends ServerFrame['type']>(
    type: T,
    fits?: (frame: Extract<ServerFrame, { type: T }>) => boolean,
  ) => Promise<Extract<ServerFrame, { type: T }>>;
  readonly send: (frame: ClientFrame) => void;
}

const openPage = async (
  protocols = ['engine-room.v1', `token.${TOKEN}`],
  headers = {},
): Promise<Page> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/stream`, protocols, { headers });
  pages.push(socket);
  const frames: ServerFrame[] = [];
  const waiters = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as ServerFrame);
    for (const wake of waiters) wake();
  });
  await once(socket, 'open');
  const next: Page['next'] = (type, fits = () => true) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = frames.find(
          (frame): frame is never => frame.type === type && fits(frame as never),
        );
        if (!found) return;
        waiters.delete(look);
        resolve(found);
      };
      waiters.add(look);
      look();
    });
  return { socket, frames, next, send: (frame) => socket.send(JSON.stringify(frame)) };
};

const seqs = (frames: readonly ServerFrame[]): number[] =>
  frames.flatMap((frame) => (frame.type === 'events' ? frame.events.map(({ seq }) => seq) : []));

const refusedWith = async (
  protocols: string[],
  headers: Record<string, string> = {},
  path = '/api/stream',
) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
  pages.push(socket);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ];
  return response.statusCode;
};

describe('the stream', () => {
  test('is for those who have the token and come from our page', async () => {
    const good = ['engine-room.v1', `token.${TOKEN}`];
    expect(await refusedWith(['engine-room.v1'])).toBe(401);
    expect(await refusedWith(['engine-room.v1', 'token.wrong'])).toBe(401);
    expect(await refusedWith(['engine-room.v1'], {}, `/api/stream?token=${TOKEN}`)).toBe(404);
    expect(await refusedWith(good, { Origin: 'http://evil.example' })).toBe(403);
    expect(await refusedWith(good, { Host: 'evil.example' })).toBe(421);
    expect(await refusedWith(good, {}, '/elsewhere')).toBe(404);
    expect((await openPage(good, { Origin: `http://127.0.0.1:${port}` })).socket.protocol).toBe(
      'engine-room.v1',
    );
  });

  test('begins with a hello and brings events once the page has said what it has', async () => {
    store.accept(aSpanStarted());
    const page = await openPage();
    expect(await page.next('hello')).toMatchObject({
      version: 1,
      engine: A_STATUS,
      traces: [{ traceId: TRACE }],
    });

    page.send({ type: 'resume', have: {} });
    await page.next('events', ({ events }) => events.at(-1)?.seq === 1);
    store.accept(aSpanEvent());
    store.accept(aSpanEvent());
    await page.next('events', ({ events }) => events.at(-1)?.seq === 3);

    expect(seqs(page.frames)).toEqual([1, 2, 3]);
  });

  test('goes on after what the page has, and batches what happens together', async () => {
    for (let i = 0; i < 5; i++) store.accept(aSpanEvent());
    const page = await openPage();
    page.send({ type: 'resume', have: { [TRACE]: 3 } });
    await page.next('events');
    for (let i = 0; i < 50; i++) store.accept(aSpanEvent());
    await page.next('events', ({ events }) => events.at(-1)?.seq === 55);

    expect(seqs(page.frames)).toEqual(Array.from({ length: 52 }, (_, i) => i + 4));
    expect(page.frames.filter(({ type }) => type === 'events').length).toBeLessThan(6);
  });

  test('two pages get the same frames', async () => {
    const both = [await openPage(), await openPage()];
    for (const page of both) page.send({ type: 'resume', have: {} });
    for (const page of both) {
      page.send({ type: 'ping', t: 1 });
      await page.next('pong');
    }
    store.accept(aSpanStarted());
    const [one, two] = await Promise.all(both.map((page) => page.next('events')));

    expect(one).toEqual(two);
  });

  test('a page that has more than there is must fetch the file', async () => {
    store.accept(aSpanEvent());
    const page = await openPage();
    page.send({ type: 'resume', have: { [TRACE]: 99 } });

    expect(await page.next('behind')).toEqual({ type: 'behind', traceId: TRACE, seq: 1 });
  });

  test('a page that does not keep up gets a pointer instead of a backlog, and the others get everything', async () => {
    const slow = await openPage();
    const fast = await openPage();
    fast.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as ServerFrame;
      if (frame.type === 'events') fast.send({ type: 'ack', frame: frame.frame });
    });
    for (const page of [slow, fast]) page.send({ type: 'resume', have: {} });
    for (const page of [slow, fast]) {
      page.send({ type: 'ping', t: 1 });
      await page.next('pong');
    }
    const count = UNACKED_LIMIT + 20;
    for (let seq = 1; seq <= count; seq++) {
      store.accept(aSpanEvent());
      await fast.next('events', ({ events }) => events.at(-1)?.seq === seq);
    }
    expect(seqs(fast.frames)).toHaveLength(count);
    expect(seqs(slow.frames)).toHaveLength(UNACKED_LIMIT);

    const last = slow.frames.findLast((frame) => frame.type === 'events');
    slow.send({ type: 'ack', frame: last?.frame ?? 0 });
    expect(await slow.next('behind')).toEqual({ type: 'behind', traceId: TRACE, seq: count });
    store.accept(aSpanEvent());
    await slow.next('events', ({ events }) => events.at(-1)?.seq === count + 1);

    expect(seqs(slow.frames)).toEqual([
      ...Array.from({ length: UNACKED_LIMIT }, (_, i) => i + 1),
      count + 1,
    ]);
  });

  test('an old trace that goes on is announced to a page that does not follow it', async () => {
    store.accept(aProcess({ change: 'exit', exit: { code: 0 } }));
    store.sweep(Date.now() + 1e6);
    const page = await openPage();
    page.send({ type: 'resume', have: {} });
    page.send({ type: 'ping', t: 1 });
    await page.next('pong');

    store.accept(aSpanEvent());

    expect(await page.next('behind')).toEqual({ type: 'behind', traceId: TRACE, seq: 1 });
    expect((await page.next('events')).events[0]?.seq).toBe(2);
  });

  test.each([
    ['no JSON', 'nonsense', 1007],
    ['binary', Buffer.from('{}'), 1007],
    ['an unknown frame', '{"type":"shutdown"}', 1008],
    ['a wrong type', '{"type":"ack","frame":"1"}', 1008],
    ['a wrong trace id', '{"type":"resume","have":{"../x":1}}', 1008],
    ['a frame that is too large', `"${'x'.repeat(70_000)}"`, 1009],
  ])('%s closes the connection, and the next page is served', async (_what, data, code) => {
    const page = await openPage();
    page.socket.send(data);
    const [closed] = (await once(page.socket, 'close')) as [number];

    expect(closed).toBe(code);
    expect(await (await openPage()).next('hello')).toBeDefined();
  });

  test('bytes that are no WebSocket frame do no harm', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: engine-room.v1, token.${TOKEN}\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.write(Buffer.alloc(1000, 0xff));
    socket.resume();
    await once(socket, 'close');

    expect(await (await openPage()).next('hello')).toBeDefined();
  });

  test('who floods is closed', async () => {
    const page = await openPage();
    for (let i = 0; i < 1000; i++) page.send({ type: 'ping', t: i });
    const [closed] = (await once(page.socket, 'close')) as [number];

    expect(closed).toBe(1008);
  });
});

test('POST /api/faults says why nothing was hit', async () => {
  const post = (body: string, headers = {}) =>
    ask('/api/faults', { method: 'POST', headers: { ...AUTH, ...JSON_TYPE, ...headers }, body });
  expect(await post('{"fault":"kill-dockerd"}')).toMatchObject({
    status: 409,
    body: '{"message":"dockerd does not run"}',
  });
  for (const body of ['{}', '{"fault":"kill-shim","container":"../etc"}', '['])
    expect((await post(body)).status).toBe(400);
  expect((await post('{"fault":"kill-dockerd"}', { Authorization: 'Bearer no' })).status).toBe(401);
  expect((await post('{"fault":"kill-dockerd"}', { Origin: 'http://evil' })).status).toBe(403);
});
