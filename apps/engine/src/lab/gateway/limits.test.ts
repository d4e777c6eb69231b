/** The limits of the lab's doors that `SECURITY.md` names, each met from outside. What a room's line may say: `rooms/isolation.test.ts`. */
import { once } from 'node:events';
import { Server as HttpServer } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { aSpanEvent } from '../testing/events.ts';
import { RoomLab, TOKEN } from '../testing/room-lab.ts';

let lab: RoomLab;
const doors = ['base', 'outside'] as const;

beforeEach(async () => {
  lab = await RoomLab.start();
});

afterEach(async () => {
  await lab.end();
});

/** Everything that is answered until the connection is closed. */
const told = async (door: (typeof doors)[number], request: string): Promise<string> => {
  const socket = connect(Number(new URL(lab[door]).port), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  socket.write(request);
  await once(socket, 'close');
  return answer;
};

const hostOf = (door: (typeof doors)[number]): string => `Host: ${new URL(lab[door]).host}\r\n`;

const openPage = async (): Promise<WebSocket> => {
  const url = `${lab.base.replace('http', 'ws')}/api/stream`;
  const page = new WebSocket(url, ['engine-room.v1', `token.${TOKEN}`]);
  page.on('error', () => undefined);
  const status = await Promise.race([
    once(page, 'open').then(() => 101),
    once(page, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
  ]);
  if (status !== 101) throw new Error(String(status));
  return page;
};

test.each(doors)('a head of more than 16 KiB is a 431 (%s)', async (door) => {
  const answer = await told(
    door,
    `GET /healthz HTTP/1.1\r\n${hostOf(door)}X: ${'x'.repeat(17 * 1024)}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  const fits = `GET /healthz HTTP/1.1\r\n${hostOf(door)}Connection: close\r\nX: ${'x'.repeat(15 * 1024)}\r\n\r\n`;
  expect(await told(door, fits)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a body that never ends to come is a 408', async () => {
  await lab.end();
  lab = await RoomLab.start({}, 200);
  const head =
    `POST /api/run HTTP/1.1\r\n${hostOf('base')}Authorization: Bearer ${TOKEN}\r\n` +
    'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"comm';
  expect(await told('base', head)).toMatch(/^HTTP\/1\.1 408 /);
});

test('a request may take 30 seconds, its head included, and no longer', () => {
  const ports = doors.map((door) => Number(new URL(lab[door]).port));
  // Node has no way to ask which servers there are but this one, which its own tests use.
  const handles = (Reflect.get(process, '_getActiveHandles') as () => object[]).call(process);
  const servers = handles.filter((handle) => handle instanceof HttpServer);
  const ours = servers.filter((server) => {
    const address = server.address();
    return typeof address === 'object' && ports.includes(address?.port ?? 0);
  });
  expect(
    ours.map(({ requestTimeout, headersTimeout }) => [requestTimeout, headersTimeout]),
  ).toEqual([
    [30_000, 30_000],
    [30_000, 30_000],
  ]);
});

test('an address has 128 pages, and one more when it closes one', async () => {
  const pages = await Promise.all(Array.from({ length: 128 }, openPage));
  await expect(openPage()).rejects.toThrow('429');
  pages[0]?.terminate();
  await expect.poll(() => openPage().then(() => 'open', String), { timeout: 20_000 }).toBe('open');
});

test('a page that takes nothing in for 8 seconds is cut off', async () => {
  const page = await openPage();
  page.send('{"type":"resume","have":{}}');
  page.send('{"type":"ping","t":1}');
  await once(page, 'message');
  const began = performance.now();
  lab.store.accept(aSpanEvent());
  await once(page, 'close');
  expect(performance.now() - began).toBeGreaterThan(7_900);
});
