/**
 * Two real labs with a real NATS server between them serve one room, and whatever is killed in mid-run, its followers
 * have every event in the end. The labs have no engine here: the test tells the trace on their collector's socket, as
 * dockerd does. Runs in `npm run test:peers`, which installs the broker.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoomOpened } from '../../protocol/room/room.ts';
import { aSpanEnded, aSpanEvent, aSpanStarted } from '../testing/events.ts';
import { aPlace, LabProcess } from '../testing/lab-process.ts';
import { at } from '../testing/room-lab.ts';
import { DeskScreen, FollowerScreen } from '../testing/room-screens.ts';
import { InProcessBus } from './in-process-bus.ts';
import { NatsBus } from './nats-bus.ts';

/** nobody: may not start containers. */
const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined;

const places = { a: aPlace(), b: aPlace() };
let port: number;
let broker: ChildProcess;
let a: LabProcess;
let b: LabProcess;
let opened: RoomOpened;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
};

const startBroker = async (): Promise<ChildProcess> => {
  const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface({ input: child.stderr }))
    if (line.includes('Server is ready')) break;
  child.stderr.resume();
  return child;
};

const kill = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const startLab = (which: 'a' | 'b'): Promise<LabProcess> =>
  LabProcess.start(
    places[which],
    { '--bus': `nats://127.0.0.1:${port}`, '--audience': '127.0.0.1:0' },
    NOBODY,
  );

beforeAll(async () => {
  if (NOBODY !== undefined)
    for (const { folder } of Object.values(places)) chownSync(folder, NOBODY, NOBODY);
  port = await freePort();
  broker = await startBroker();
  [a, b] = await Promise.all([startLab('a'), startLab('b')]);
  const { json } = await a.api('/rooms', { presenter: 'Ada' });
  opened = json as RoomOpened;
});

afterAll(async () => {
  await a.signal('SIGTERM');
  await b.signal('SIGTERM');
  await kill(broker);
  for (const { folder } of Object.values(places)) rmSync(folder, { recursive: true });
});

const presenter = async (): Promise<DeskScreen> => {
  const desk = await DeskScreen.open(a.base, opened.code, a.token);
  desk.say({ type: 'sit', name: 'Ada', driver: opened.driver });
  await desk.until(() => expect(desk.last('wheel')).toBeDefined());
  return desk;
};

const follower = async (lab: LabProcess, device?: string): Promise<FollowerScreen> => {
  const screen = await FollowerScreen.open(lab.audience!, opened.code);
  screen.say({ type: 'resume', have: {} });
  screen.say({ type: 'join', as: 'device', ...(device === undefined ? {} : { device }) });
  await screen.until(() => expect(screen.last('you')).toBeDefined());
  return screen;
};

/** A run, told event by event on the socket of the lab that has the engine. */
class Run {
  readonly traceId: string;
  readonly #socket: Socket;
  #count = 0;

  constructor(traceId: string) {
    this.traceId = traceId;
    this.#socket = connect(join(places.a.execRoot, 'trace.sock'));
    this.#write(aSpanStarted({ traceId, id: `${traceId}/begin` }));
    this.tell(20);
  }

  tell(count: number): void {
    for (let n = 0; n < count; n += 1)
      this.#write(aSpanEvent({ traceId: this.traceId, id: `${this.traceId}/${++this.#count}` }));
  }

  end(): void {
    this.#write(aSpanEnded({ traceId: this.traceId, id: `${this.traceId}/end` }));
    this.#socket.end();
  }

  #write(event: object): void {
    this.#socket.write(`${JSON.stringify(event)}\n`);
  }
}

let runs = 0;

const show = async (desk: DeskScreen): Promise<Run> => {
  const run = new Run(String(++runs).padStart(32, '0'));
  await expect
    .poll(async () => (await a.api(`/traces`)).json)
    .toContainEqual(expect.objectContaining({ traceId: run.traceId }));
  desk.say({ type: 'drive', driver: opened.driver, playhead: at(run.traceId), lesson: null });
  return run;
};

const hasAll = async (screen: FollowerScreen, traceId: string): Promise<void> => {
  await screen.until(() =>
    expect(
      screen.frames.some(
        (frame) =>
          frame.type === 'trace' &&
          frame.trace.traceId === traceId &&
          frame.trace.state === 'ended',
      ),
    ).toBe(true),
  );
  const { length } = await a.events(traceId);
  await screen.until(() => expect(screen.seqsOf(traceId)).toHaveLength(length));
  expect(screen.seqsOf(traceId)).toEqual(Array.from({ length }, (_, n) => n + 1));
};

test('a word goes to all who listen, in order, over either bus', async () => {
  for (const [one, two] of [
    [new InProcessBus(), null],
    [
      await NatsBus.connect(`nats://127.0.0.1:${port}`),
      await NatsBus.connect(`nats://127.0.0.1:${port}`),
    ],
  ] as const) {
    const heard: unknown[] = [];
    const listener = two ?? one;
    const stop = listener.subscribe('engine-room.test', (message) => heard.push(message));
    await two?.flush();
    for (let n = 0; n < 100; n += 1) one.publish('engine-room.test', { n });
    await expect.poll(() => heard.length).toBe(100);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => ({ n })));
    stop();
    await one.close();
    await two?.close();
  }
});

test('a broker that cannot be reached is said at the start', async () => {
  await expect(NatsBus.connect(`nats://127.0.0.1:${await freePort()}`)).rejects.toThrow(/refused/);
});

test('the broker is killed in mid-run: who is near goes on, who is far catches up', async () => {
  const desk = await presenter();
  const [near, far] = [await follower(a), await follower(b)];
  const run = await show(desk);
  await far.until(() => expect(far.seqsOf(run.traceId)).toHaveLength(21));
  await kill(broker);
  run.tell(30);
  await near.until(() => expect(near.seqsOf(run.traceId)).toHaveLength(51));
  expect(far.seqsOf(run.traceId)).toHaveLength(21);
  broker = await startBroker();
  await far.until(() => expect(far.seqsOf(run.traceId)).toHaveLength(51));
  run.tell(5);
  run.end();
  await hasAll(far, run.traceId);
  await hasAll(near, run.traceId);
  await desk.until(() => expect(desk.last('crowd')?.crowd.devices).toBe(2));
  for (const screen of [desk, near, far]) screen.socket.terminate();
});

test('a lab that serves followers is killed in mid-run: they go to the other, the same devices still', async () => {
  const desk = await presenter();
  const phone = await follower(b);
  const { device } = phone.last('you')!;
  const run = await show(desk);
  await phone.until(() => expect(phone.seqsOf(run.traceId)).toHaveLength(21));
  const closed = once(phone.socket, 'close');
  await b.signal('SIGKILL');
  await closed;
  run.tell(10);
  const again = await follower(a, device);
  expect(again.room?.playhead.traceId).toBe(run.traceId);
  run.end();
  await hasAll(again, run.traceId);
  // The dead lab's followers are forgotten when it has said nothing for a while.
  await desk.until(() => expect(desk.last('crowd')?.crowd.devices).toBe(1));
  b = await startLab('b');
  for (const screen of [desk, again]) screen.socket.terminate();
});

test('the lab of the presenter is killed: followers keep what they have, and go on when it is back', async () => {
  const desk = await presenter();
  const phone = await follower(b);
  const run = await show(desk);
  await phone.until(() => expect(phone.seqsOf(run.traceId)).toHaveLength(21));
  await a.signal('SIGKILL');
  await phone.until(() => expect(phone.room?.isDriven).toBe(false));
  // Who comes now is served too, with all that this lab has.
  const late = await FollowerScreen.open(b.audience!, opened.code);
  late.say({ type: 'resume', have: {} });
  await late.until(() => expect(late.seqsOf(run.traceId)).toHaveLength(21));
  a = await startLab('a');
  const next = await presenter();
  const second = await show(next);
  second.end();
  await phone.until(() => expect(phone.room?.playhead.traceId).toBe(second.traceId));
  await hasAll(phone, second.traceId);
  await hasAll(late, second.traceId);
  for (const screen of [next, phone, late]) screen.socket.terminate();
});
