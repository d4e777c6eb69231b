/** The lab's doors: trace lines from every process, frames from every page, command lines from whoever has the token. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { readEvent } from '../../apps/engine/src/lab/collector/read-event.ts';
import { Receiver } from '../../apps/engine/src/lab/collector/receiver.ts';
import { TraceStore } from '../../apps/engine/src/lab/collector/trace-store.ts';
import { GateKeeper } from '../../apps/engine/src/lab/gates/gate-keeper.ts';
import { testRooms } from '../../apps/engine/src/lab/testing/rooms.ts';
import { GateService } from '../../apps/engine/src/lab/gates/gate-service.ts';
import { Gateway } from '../../apps/engine/src/lab/gateway/gateway.ts';
import { decide } from '../../apps/engine/src/lab/policy/policy.ts';
import { splitWords, quoteWords } from '../../apps/engine/src/lab/policy/shell-words.ts';
import {
  aProcess,
  aSpanEvent,
  aSpanStarted,
  SPAN,
  TRACE,
} from '../../apps/engine/src/lab/testing/events.ts';
import { cuts, mutatedBytes, mutatedJson, pieces } from './mutate.ts';
import { sendAndLeave } from './servers.ts';
import { target, type Target } from './target.ts';

const EVENTS = [
  aSpanStarted({ links: [{ traceId: TRACE, spanId: SPAN }] }),
  aSpanEvent({ attributes: { 'container.id': 'c'.repeat(64), n: 1, list: ['a'] } }),
  aProcess({ change: 'exit', exit: { code: 137, signal: 'SIGKILL' } }),
  {
    ...aSpanEvent(),
    type: 'message',
    protocol: 'http',
    direction: 'request',
    from: { actor: 'docker', pid: 1 },
    to: { actor: 'dockerd', pid: null },
    summary: 'POST /containers/create',
    body: { Image: 'busybox' },
    raw: { base64: 'aGk=', sizeBytes: 2, truncated: false },
  },
  {
    ...aSpanEvent(),
    type: 'output',
    containerId: 'c'.repeat(64),
    stream: 'stdout',
    offset: 0,
    base64: 'aGk=',
    sizeBytes: 2,
    truncated: false,
  },
];

const temporary = (name: string) => {
  const folder = mkdtempSync(join(tmpdir(), `fuzz-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const anyLine = mutatedJson(...EVENTS).map((event) => JSON.stringify(event));

const TOKEN = 'a-token';
const openGateway = async () => {
  const { folder, remove } = temporary('gateway');
  const store = new TraceStore({ directory: join(folder, 'traces'), isAlive: () => true });
  await store.load();
  store.accept(aSpanStarted());
  const gateway = new Gateway({
    rooms: testRooms(folder, store),
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    webRoot: folder,
    backend: {
      store,
      engine: () => ({
        canLaunch: false,
        reason: 'nobody is here',
        daemons: [],
        dockerSocket: '/nowhere',
        limits: { maxContainers: 1, runTimeoutMs: 1 },
      }),
      run: () => Promise.resolve({ status: 403, message: 'no' }),
      check: () => Promise.resolve({ observations: [] }),
      stop: () => Promise.resolve(false),
      gates: new GateService(new GateKeeper({ folder }), () => false),
      fault: () => Promise.resolve({ status: 409, message: 'no' }),
    },
  });
  const port = await gateway.listen();
  return {
    port,
    stillServes: async () => {
      const page = new WebSocket(`ws://127.0.0.1:${port}/api/stream`, [
        'engine-room.v1',
        `token.${TOKEN}`,
      ]);
      await once(page, 'message');
      page.terminate();
    },
    close: async () => {
      await gateway.close();
      await store.close();
      remove();
    },
  };
};

/** A client's frame: masked, as RFC 6455 wants it. */
const webSocketFrame = (opcode: number, payload: Buffer): Buffer => {
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
};
const FRAMES = [
  ...['{"type":"resume","have":{}}', '{"type":"ack","frame":1}', '{"type":"ping","t":1}'].map(
    (text) => webSocketFrame(1, Buffer.from(text)),
  ),
  webSocketFrame(9, Buffer.from('hi')),
  webSocketFrame(8, Buffer.from([3, 0xe8])),
];

const upgradeOf = (port: number): Buffer =>
  Buffer.from(
    `GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Protocol: engine-room.v1, token.${TOKEN}\r\n\r\n`,
  );

const shellPieces = [
  'docker',
  ' ',
  'run',
  ' ',
  '--rm',
  "'",
  '"',
  '\\',
  '$',
  '{',
  ',',
  '}',
  '|',
  '-',
  '=',
];
const dockerPieces = [
  '-m',
  '1g',
  '--',
  '-it',
  'busybox',
  '--label=',
  '\u00a0',
  '\u200b',
  '\0',
  '\ud800',
  '—rm',
];

export const LAB: readonly Target[] = [
  target('trace lines', {
    perThousand: 500,
    inputs: anyLine,
    open: () => {
      const { folder, remove } = temporary('store');
      const store = new TraceStore({ directory: folder, isAlive: () => false });
      return {
        feed: (line) => {
          const read = readEvent(line);
          if (!('problem' in read)) store.accept(read.event, read.json);
        },
        close: async () => {
          await store.close();
          remove();
        },
      };
    },
  }),
  target('collector socket', {
    perThousand: 20,
    inputs: fc.tuple(
      mutatedBytes(...EVENTS.map((event) => Buffer.from(`${JSON.stringify(event)}\n`))),
      cuts,
    ),
    open: async () => {
      const { folder, remove } = temporary('receiver');
      const path = join(folder, 'trace.sock');
      let heard: () => void = () => undefined;
      const receiver = new Receiver({ socketPath: path, onEvent: () => heard() });
      await receiver.listen();
      return {
        feed: (sent) => sendAndLeave({ path }, sent),
        stillServes: async () => {
          const event = new Promise<void>((resolve) => (heard = resolve));
          connect(path).end(`${JSON.stringify(EVENTS[0])}\n`);
          await event;
        },
        close: async () => {
          await receiver.close();
          remove();
        },
      };
    },
  }),
  target('WebSocket frames', {
    perThousand: 10,
    inputs: fc.tuple(mutatedBytes(Buffer.concat(FRAMES), ...FRAMES), cuts),
    open: async () => {
      const { port, stillServes, close } = await openGateway();
      return {
        feed: ([bytes, at]) =>
          new Promise((resolve, reject) => {
            const socket = connect(port, '127.0.0.1');
            socket.write(upgradeOf(port));
            socket.once('data', () => {
              for (const piece of pieces(bytes, at)) socket.write(piece);
              socket.end();
            });
            socket.on('error', (error: NodeJS.ErrnoException) =>
              error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve() : reject(error),
            );
            socket.once('close', () => resolve());
          }),
        stillServes,
        close,
      };
    },
  }),
  target('lab HTTP', {
    perThousand: 20,
    inputs: fc.tuple(
      mutatedBytes(
        Buffer.from(
          `POST /api/run HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 2\r\n\r\n{}`,
        ),
        upgradeOf(80),
      ),
      cuts,
    ),
    open: async () => {
      const { port, stillServes, close } = await openGateway();
      return {
        feed: (sent) => sendAndLeave({ host: '127.0.0.1', port }, sent),
        stillServes,
        close,
      };
    },
  }),
  target('command lines', {
    inputs: fc.oneof(
      fc.string({ unit: fc.constantFrom(...shellPieces, ...dockerPieces), maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
    ),
    open: () => ({
      feed: (line) => {
        for (const text of [line, `docker run ${line}`]) {
          const words = splitWords(text);
          const decision = decide(text, 'me');
          if ('problem' in words) {
            if (decision.allowed) throw new Error('a line that is no words was allowed');
            continue;
          }
          const plain = words.map((word) => word.text);
          const again = splitWords(quoteWords(plain));
          if ('problem' in again || again.some((word, index) => word.text !== plain[index]))
            throw new Error('quoted words are read as others');
          if (decision.allowed && decision.argv.some((word) => word.includes('\0')))
            throw new Error('a word that execve(2) would cut');
        }
      },
    }),
  }),
];
