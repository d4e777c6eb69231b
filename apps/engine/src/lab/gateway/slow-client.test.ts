/** Clients that hold on to what is not theirs: slow ones, many connections, and the frames that we make ourselves. */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { RoomLab } from '../testing/room-lab.ts';
import { ConnectionQuota } from './connection-quota.ts';
import { Outgoing } from './outgoing.ts';

let lab: RoomLab | null = null;

afterEach(async () => {
  await lab?.end();
  lab = null;
});

test.each(['base', 'outside'] as const)(
  'a request that dribbles in is answered 408 and its connection closed (%s)',
  async (door) => {
    lab = await RoomLab.start({}, 100);
    const { port } = new URL(lab[door]);
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.write('GET /healthz HTTP/1.1\r\nHost: 127');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  },
);

test('a client has so many connections and no more, and gets one back for each that it closes', () => {
  const quota = new ConnectionQuota(2);
  const from = (remoteAddress: string): Socket =>
    Object.assign(new EventEmitter(), { remoteAddress }) as Socket;
  const [first, second] = [from('10.0.0.1'), from('10.0.0.1')];
  expect([first, second, from('10.0.0.1'), from('10.0.0.2')].map((s) => quota.take(s))).toEqual([
    true,
    true,
    false,
    true,
  ]);
  first.emit('close');
  expect(quota.take(from('10.0.0.1'))).toBe(true);
  expect(quota.take(from('10.0.0.1'))).toBe(false);
});

test.each([true, false])(
  'what we frame ourselves, ws reads (compressed: %s)',
  async (isDeflated) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: isDeflated && { serverNoContextTakeover: true },
    });
    let wire: Duplex | null = null;
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, () => {
        wire = socket;
      });
    });
    const { port } = server.address() as AddressInfo;
    const page = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: isDeflated });
    await once(page, 'open');
    expect(page.extensions.includes('permessage-deflate')).toBe(isDeflated);

    // At the borders of the three forms of a length, and with what UTF-8 writes in several bytes.
    for (const length of [0, 1, 123, 124, 511, 512, 65_533, 65_534, 200_000]) {
      const text = 'é'.repeat(length % 2).padEnd(length, 'ab');
      const heard = once(page, 'message') as Promise<[Buffer]>;
      wire!.write(new Outgoing({ text }).framed(isDeflated));
      expect(JSON.parse((await heard)[0].toString())).toEqual({ text });
    }
    page.terminate();
    server.close();
  },
);
