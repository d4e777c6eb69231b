/** Events on their way to the lab: when they go, and that none stays behind. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TraceEvent } from '../protocol/trace/event.ts';
import { SocketExporter } from './exporter.ts';

let folder: string;
let path: string;
let server: Server;
let chunks: string[];
let wasRead: () => void;

const listen = async (): Promise<void> => {
  server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      wasRead();
    });
  });
  server.listen(path);
  await once(server, 'listening');
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exporter-'));
  path = join(folder, 's');
  chunks = [];
  wasRead = () => undefined;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const event = (id: string): TraceEvent => ({
  type: 'spanEvent',
  id,
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  cause: null,
  mono: '1',
  level: 'detail',
  emitter: { actor: 'shim', pid: 1, n: 0 },
  name: 'something',
  attributes: {},
});

const idsRead = (): string[] =>
  chunks
    .join('')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as TraceEvent).id);

const read = async (count: number): Promise<string[]> => {
  while (idsRead().length < count)
    await new Promise<void>((resolve) => {
      wasRead = resolve;
    });
  return idsRead();
};

test('events of one moment go in one piece and in their order, without being asked for', async () => {
  await listen();
  const exporter = new SocketExporter(path);
  exporter.export(event('first'));
  await exporter.flush();
  await read(1);
  chunks = [];
  for (const id of ['a', 'b', 'c']) exporter.export(event(id));
  expect(await read(3)).toEqual(['a', 'b', 'c']);
  expect(chunks).toHaveLength(1);
  exporter.close();
});

test.each(['flush', 'close'] as const)('a %s leaves nothing behind', async (end) => {
  await listen();
  const exporter = new SocketExporter(path);
  exporter.export(event('a'));
  await exporter.flush();
  exporter.export(event('b'));
  await exporter[end]();
  expect(await read(2)).toEqual(['a', 'b']);
  exporter.close();
});

test('many events do not wait for the moment to be over', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  try {
    await listen();
    const exporter = new SocketExporter(path);
    await exporter.flush();
    const ids = Array.from({ length: 1000 }, (_, index) => `${index}`);
    for (const id of ids) exporter.export(event(id));
    expect(await read(1000)).toEqual(ids);
    exporter.close();
  } finally {
    vi.useRealTimers();
  }
});

test('what happens before the lab is there is told when it is', async () => {
  const exporter = new SocketExporter(path);
  exporter.export(event('a'));
  await exporter.flush();
  await listen();
  expect(await read(1)).toEqual(['a']);
  exporter.close();
});
