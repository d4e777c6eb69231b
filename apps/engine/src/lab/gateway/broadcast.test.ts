/** One message to many sockets, by the kernel itself: nobody gets less, or in another order, than by his own stream. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { Broadcast, type SendToAll } from './broadcast.ts';
import { Outgoing } from './outgoing.ts';
import type { Wire } from './page-connection.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A page that has a socket of its own, and what comes out at its other end. */
class Page {
  readonly openWire: Wire;
  readonly other: Socket;
  readonly sent: Outgoing[] = [];

  constructor(bytes: Socket, other: Socket, isDeflated: boolean) {
    this.openWire = { bytes, isDeflated };
    this.other = other;
  }

  static async open(isDeflated = false): Promise<Page> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const other = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [bytes] = (await once(server, 'connection')) as [Socket];
    ends.push(() => {
      other.destroy();
      bytes.destroy();
      server.close();
    });
    return new Page(bytes, other, isDeflated);
  }

  send(outgoing: Outgoing): void {
    this.sent.push(outgoing);
    this.openWire.bytes.write(outgoing.framed(this.openWire.isDeflated));
  }

  async reads(size: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (let left = size; left > 0;) {
      const chunk = this.other.read() as Buffer | null;
      if (chunk) {
        chunks.push(chunk);
        left -= chunk.length;
      } else await once(this.other, 'readable');
    }
    return Buffer.concat(chunks);
  }
}

const calls: number[] = [];
const sendToAll: SendToAll = (sockets, bytes) => {
  calls.push(sockets.length);
  return native.sendToAll(sockets, bytes);
};

const framed = (isDeflated: boolean, ...parts: readonly Outgoing[]): Buffer =>
  Buffer.concat(parts.map((part) => part.framed(isDeflated)));

test('each page gets its own parts, in order and in one piece, and those with the same are one call', async () => {
  calls.length = 0;
  const parts = ['summary', 'events', 'room'].map(
    (type) => new Outgoing({ type, fill: type.repeat(200) }),
  );
  const pages = await Promise.all([Page.open(), Page.open(true), Page.open(), Page.open(true)]);
  const bits = [0b111, 0b111, 0b111, 0b101];
  const round = new Broadcast(parts, sendToAll);
  pages.forEach((page, index) => round.add(page, bits[index]!));
  round.send();

  expect(calls).toEqual([2, 1, 1]);
  for (const [index, page] of pages.entries()) {
    const mine = parts.filter((_, part) => (bits[index]! & (1 << part)) !== 0);
    const expected = framed(page.openWire.isDeflated, ...mine);
    expect((await page.reads(expected.length)).equals(expected)).toBe(true);
    expect(page.sent).toEqual([]);
  }
});

test('what the kernel does not take at once comes behind it, and what follows behind that', async () => {
  const large = new Outgoing({ fill: 'a'.repeat(32 * 1024 * 1024) });
  const small = new Outgoing({ fill: 'b'.repeat(100) });
  const pages = await Promise.all([Page.open(), Page.open()]);
  for (const part of [large, small]) {
    const round = new Broadcast([part], sendToAll);
    for (const page of pages) round.add(page, 1);
    round.send();
  }

  expect(pages.map((page) => page.openWire.bytes.writableLength > 0)).toEqual([true, true]);
  const expected = framed(false, large, small);
  for (const page of pages) {
    expect((await page.reads(expected.length)).equals(expected)).toBe(true);
    // The second found bytes waiting, and waited with them.
    expect(page.sent).toEqual([small]);
  }
});

test('who has gone holds up nobody, and without the native part each page is written to', async () => {
  const [gone, there] = await Promise.all([Page.open(), Page.open()]);
  gone.openWire.bytes.on('error', () => undefined);
  const closed = new Promise((resolve) => gone.openWire.bytes.on('close', resolve));
  gone.other.resetAndDestroy();
  await closed;
  const part = new Outgoing({ type: 'room' });
  for (const by of [sendToAll, null]) {
    const round = new Broadcast([part], by);
    for (const page of [gone, there]) round.add(page, 1);
    round.send();
  }

  const expected = framed(false, part, part);
  expect((await there.reads(expected.length)).equals(expected)).toBe(true);
  expect(there.sent).toEqual([part]);
});
