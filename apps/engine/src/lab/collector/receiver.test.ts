import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { aProcess, aSpanEvent } from '../testing/events.ts';
import { LINE_LIMIT_BYTES, Receiver } from './receiver.ts';

let folder: string;
let receiver: Receiver;
let events: TraceEvent[];
let jsons: string[];
let problems: string[];
let arrived: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lab-receiver-'));
  events = [];
  jsons = [];
  problems = [];
  arrived = () => undefined;
  receiver = new Receiver({
    socketPath: join(folder, 'trace.sock'),
    onEvent: (event, json) => {
      events.push(event);
      jsons.push(json);
      arrived();
    },
    onProblem: (problem) => {
      problems.push(problem);
      arrived();
    },
  });
  await receiver.listen();
});

afterEach(async () => {
  await receiver.close();
  rmSync(folder, { recursive: true });
});

const open = async (): Promise<Socket> => {
  const socket = connect(join(folder, 'trace.sock'));
  await once(socket, 'connect');
  return socket;
};

/** Resolves when so many lines were taken or thrown away. */
const until = (count: number): Promise<void> =>
  new Promise((resolve) => {
    arrived = () => {
      if (events.length + problems.length >= count) resolve();
    };
    arrived();
  });

const line = (event: unknown): string => `${JSON.stringify(event)}\n`;

test('events arrive however the stream is cut', async () => {
  const socket = await open();
  const sent = [aSpanEvent({ name: 'größe 😀' }), aProcess(), aSpanEvent()];
  const bytes = Buffer.from(sent.map(line).join(''));

  for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
  await until(3);

  expect(events).toEqual(sent);
  socket.destroy();
});

test('rubbish costs the line, not the connection', async () => {
  const socket = await open();
  const good = aSpanEvent();

  socket.write('rubbish\n');
  socket.write(line({ type: 'spanEvent' }));
  socket.write(line({ ...good, traceId: '../../etc/passwd' }));
  socket.write(line({ ...good, mono: '1; DROP' }));
  socket.write(line([]));
  socket.write(line(null));
  socket.write(line(good));
  await until(7);

  expect(problems).toHaveLength(6);
  expect(events).toEqual([good]);
  socket.destroy();
});

test('fields that the vocabulary does not name are cut off', async () => {
  const socket = await open();
  const good = aSpanEvent();

  socket.write(line({ ...good, secret: 'x', emitter: { ...good.emitter, more: 1 } }));
  await until(1);

  expect(events).toEqual([good]);
  expect(jsons.map((json) => JSON.parse(json) as unknown)).toEqual([good]);
  socket.destroy();
});

test('a line that has only what the vocabulary names goes on as it came', async () => {
  const socket = await open();
  const words = ` ${JSON.stringify(aSpanEvent({ name: 'größe 😀', attributes: { a: ['b'], c: 1 } }))}`;

  socket.write(`${words}\n`);
  await until(1);

  expect(jsons).toEqual([words]);
  socket.destroy();
});

test.each([
  ['something after it', (words: string) => `${words} `],
  ['a sequence number of its own', (words: string) => `${words.slice(0, -1)},"seq":7}`],
])('an object with %s goes on as one that can be numbered', async (_, change) => {
  const socket = await open();
  const event = aSpanEvent();

  socket.write(`${change(JSON.stringify(event))}\n`);
  await until(1);

  expect(jsons).toEqual([JSON.stringify(event)]);
  socket.destroy();
});

test.each([
  ['a list', '[]'],
  ['null', 'null'],
  ['an object as a value', '{"a":{}}'],
  ['a list of numbers', '{"a":[1]}'],
  ['a number without end', '{"a":1e999}'],
  ['a name that means something to JavaScript', '{"__proto__":"x"}'],
  ['an endless name', `{"${'x'.repeat(257)}":1}`],
])('attributes that are %s cost the line', async (_, attributes) => {
  const socket = await open();

  socket.write(line(aSpanEvent()).replace('"attributes":{}', `"attributes":${attributes}`));
  await until(1);

  expect(events).toEqual([]);
  socket.destroy();
});

test('a line without an end costs the connection, and others go on', async () => {
  const endless = await open();
  const other = await open();
  endless.on('error', () => undefined);

  endless.write('x'.repeat(LINE_LIMIT_BYTES + 1));
  await once(endless, 'close');
  other.write(line(aSpanEvent()));
  await until(2);

  expect(problems).toEqual(['a line is too long']);
  expect(events).toHaveLength(1);
  other.destroy();
});

test('only the engine’s own user may write', () => {
  expect(statSync(join(folder, 'trace.sock')).mode & 0o777).toBe(0o600);
});
