/**
 * Two real labs with a real NATS server between them serve one room, and whatever is killed in mid-run, its followers
 * have every event in the end. Runs in `npm run test:peers`, which installs the broker.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoomOpened } from '../../protocol/room/room.ts';
import { aPlace, clearPlace, LabProcess } from '../testing/lab-process.ts';
import { at } from '../testing/room-lab.ts';
import { DeskScreen, FollowerScreen } from '../testing/room-screens.ts';
import { InProcessBus } from './in-process-bus.ts';
import { NatsBus } from './nats-bus.ts';

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
  LabProcess.start(places[which], {
    '--bus': `nats://127.0.0.1:${port}`,
    '--audience': '127.0.0.1:0',
  });

beforeAll(async () => {
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
  await clearPlace(places.a);
  await clearPlace(places.b);
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

/** A run that goes on for seconds, and is shown. */
const show = async (desk: DeskScreen): Promise<string> => {
  const command =
    "docker run --rm busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.5; done'";
  const { json } = await a.api('/run', { command });
  const { traceId } = json as { traceId: string };
  desk.say({ type: 'drive', driver: opened.driver, playhead: at(traceId), lesson: null });
  return traceId;
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
  const traceId = await show(desk);
  await far.until(() => expect(far.room?.playhead.traceId).toBe(traceId));
  await far.until(() => expect(far.seqsOf(traceId).length).toBeGreaterThan(10));
  await kill(broker);
  const before = far.seqsOf(traceId).length;
  broker = await startBroker();
  await hasAll(far, traceId);
  expect(far.seqsOf(traceId).length).toBeGreaterThan(before);
  await hasAll(near, traceId);
  for (const screen of [desk, near, far]) screen.socket.terminate();
});

test('a lab that serves followers is killed in mid-run: they go to the other, the same devices still', async () => {
  const desk = await presenter();
  const phone = await follower(b);
  const { device } = phone.last('you')!;
  const traceId = await show(desk);
  await phone.until(() => expect(phone.seqsOf(traceId).length).toBeGreaterThan(10));
  const closed = once(phone.socket, 'close');
  await b.signal('SIGKILL');
  await closed;
  const again = await follower(a, device);
  expect(again.room?.playhead.traceId).toBe(traceId);
  await hasAll(again, traceId);
  await desk.until(() => expect(desk.last('crowd')?.crowd.devices).toBe(1));
  b = await startLab('b');
  for (const screen of [desk, again]) screen.socket.terminate();
});

test('the lab of the presenter is killed: followers keep what they have, and go on when it is back', async () => {
  const desk = await presenter();
  const phone = await follower(b);
  const traceId = await show(desk);
  await phone.until(() => expect(phone.seqsOf(traceId).length).toBeGreaterThan(10));
  await a.signal('SIGKILL');
  await phone.until(() => expect(phone.room?.isDriven).toBe(false));
  // Who comes now is served too, with all that this lab has.
  const late = await follower(b).catch(() => null);
  expect(late?.room?.playhead.traceId).toBe(traceId);
  a = await startLab('a');
  const next = await presenter();
  const second = await show(next);
  await phone.until(() => expect(phone.room).toMatchObject({ isDriven: true }));
  await hasAll(phone, second);
  for (const screen of [next, phone]) screen.socket.terminate();
});
