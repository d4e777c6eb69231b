/** The servers that the fan-out bench compares, each with the same events from the same kind of loop. */
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { TraceStore } from '../../apps/engine/src/lab/collector/trace-store.ts';
import { AudienceDoor } from '../../apps/engine/src/lab/gateway/audience-door.ts';
import { aSpanEvent, aSpanStarted } from '../../apps/engine/src/lab/testing/events.ts';
import { native } from '../../apps/engine/src/native/load.ts';
import { testRooms } from '../../apps/engine/src/lab/testing/rooms.ts';

export interface Fan {
  readonly port: number;
  readonly path: string;
  /** Makes one event and gives it to everybody; it carries its time of birth (`mono`). */
  readonly emit: () => void;
  /** The presenter goes a step on: `realNs` is the time of that. */
  readonly step?: () => void;
}

const PADDING = { padding: 'x'.repeat(80) };
let made = 0;
const anEvent = (traceId: string) =>
  aSpanEvent({ traceId, id: `${traceId}/${++made}`, attributes: PADDING });

/** A trace has a limit of size, so a new one is shown before it is reached. */
const EVENTS_A_TRACE = 20_000;

/** The whole way: collector's store, room, bus, replica, and the frames that are made once for all. */
const ours = async (): Promise<Fan> => {
  const folder = mkdtempSync(join(tmpdir(), 'fan-out-'));
  const store = new TraceStore({ directory: join(folder, 'traces'), isAlive: () => true });
  const rooms = testRooms(folder, store, {
    sendToAll: (sockets, bytes) => native.sendToAll(sockets, bytes),
  });
  const opened = rooms.open('bench', { id: 'bench' });
  if ('message' in opened) throw new Error(opened.message);
  const door = new AudienceDoor({
    host: '127.0.0.1',
    port: 0,
    webRoot: folder,
    rooms,
    publicUrl: null,
  });
  let traceId = '';
  let count = EVENTS_A_TRACE;
  return {
    port: await door.listen(),
    path: `/api/rooms/${opened.code}/stream`,
    step: () => rooms.show(opened.code, traceId, Number(process.hrtime.bigint())),
    emit: () => {
      if (++count > EVENTS_A_TRACE) {
        count = 0;
        traceId = String(made).padStart(32, '0');
        store.accept(aSpanStarted({ traceId, id: `${traceId}/begin` }));
        rooms.show(opened.code, traceId);
      }
      store.accept(anEvent(traceId));
    },
  };
};

const TRACE = 'a'.repeat(32);

/** `ws` as its documentation shows a broadcast: a string to each client, event by event. */
const plainWs = async (): Promise<Fan> => {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    path: '/',
    emit: () => {
      const text = JSON.stringify(anEvent(TRACE));
      for (const client of sockets.clients)
        if (client.readyState === client.OPEN) client.send(text);
    },
  };
};

/** `ws` with our batches of 16 ms, as one buffer for all. */
const batchedWs = async (): Promise<Fan> => {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  let batch: object[] = [];
  setInterval(() => {
    if (batch.length === 0) return;
    const encoded = Buffer.from(JSON.stringify({ type: 'events', frame: 1, events: batch }));
    batch = [];
    for (const client of sockets.clients)
      if (client.readyState === client.OPEN) client.send(encoded, { binary: false });
  }, 16);
  return {
    port: (server.address() as AddressInfo).port,
    path: '/',
    emit: () => batch.push(anEvent(TRACE)),
  };
};

interface SocketIo {
  readonly Server: new (
    server: object,
    options: object,
  ) => { emit: (name: string, value: unknown) => void };
}

/** socket.io with the same batches: it frames a broadcast once itself. */
const socketIo = async (folder: string): Promise<Fan> => {
  const { Server } = (await import(join(folder, 'node_modules/socket.io/wrapper.mjs'))) as SocketIo;
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  let batch: object[] = [];
  setInterval(() => {
    if (batch.length === 0) return;
    io.emit('events', batch);
    batch = [];
  }, 16);
  return {
    port: (server.address() as AddressInfo).port,
    path: '/socket.io/?EIO=4&transport=websocket',
    emit: () => batch.push(anEvent(TRACE)),
  };
};

export const openFan = (kind: string, socketIoFolder: string): Promise<Fan> => {
  if (kind === 'ours') return ours();
  if (kind === 'ws') return plainWs();
  return kind === 'ws, batched' ? batchedWs() : socketIo(socketIoFolder);
};
