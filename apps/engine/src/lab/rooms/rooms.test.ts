/** A room over the wire: a presenter and followers. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InProcessBus } from '../bus/in-process-bus.ts';
import { decodeTraceFile, encodeTraceFile, newHeader } from '../collector/trace-file.ts';
import { aSpanEvent, aSpanStarted, TRACE } from '../testing/events.ts';
import { at, OTHER, question, RoomLab, TOKEN } from '../testing/room-lab.ts';
import { DeskScreen } from '../testing/room-screens.ts';
import { A_STATUS } from '../testing/rooms.ts';
import { RoomHost } from './room-host.ts';
import { RoomReplica } from './room-replica.ts';
import { Room } from './room.ts';

let lab: RoomLab;

beforeEach(async () => {
  lab = await RoomLab.start();
});

afterEach(async () => {
  await lab.end();
});

describe('following', () => {
  test('two words open it; every screen sees where the presenter is, and the run from its first event', async () => {
    const opened = await lab.openRoom();
    expect(opened.code).toMatch(/^[a-z]+-[a-z]+$/);
    lab.store.accept(aSpanStarted({ id: 'first' }));
    const desk = await lab.presenter(opened);
    const early = await lab.follower(opened.code);
    desk.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
    await early.until(() => expect(early.room?.playhead.traceId).toBe(TRACE));
    lab.store.accept(aSpanEvent({ id: 'second' }));
    await early.until(() => expect(early.events).toEqual(['first', 'second']));
    expect(early.room).toMatchObject({ presenter: 'Ada', isDriven: true });

    // A late joiner is right at once: state, run and all.
    const late = await lab.follower(opened.code);
    await late.until(() => expect(late.events).toEqual(['first', 'second']));
    expect(late.room?.playhead).toEqual(at(TRACE));
    await desk.until(() => expect(desk.last('crowd')?.crowd.devices).toBe(2));
  });

  test('what the presenter points at is seen, and nobody else can point', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const screen = await lab.follower(opened.code);
    const place = { box: 'dockerd', x: 0.5, y: 1.25 };
    desk.say({ type: 'point', driver: 'not-the-driver', at: { ...place, box: 'shim' } });
    desk.say({ type: 'point', driver: opened.driver, at: place });
    await screen.until(() => expect(screen.last('point')?.at).toEqual(place));
    desk.say({ type: 'point', driver: opened.driver, at: null });
    await screen.until(() => expect(screen.last('point')?.at).toBeNull());
    expect(JSON.stringify(screen.frames)).not.toContain('"box":"shim"');
  });

  test('a recording of the presenter goes to everybody, and is fetched as a file too', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const screen = await lab.follower(opened.code);
    desk.say({ type: 'drive', driver: opened.driver, playhead: at(OTHER), lesson: null });
    await desk.until(() => expect(desk.last('trace-wanted')?.traceId).toBe(OTHER));
    const event = aSpanStarted({ id: 'recorded', traceId: OTHER });
    const summary = {
      traceId: OTHER,
      title: 'docker run',
      argv: null,
      origin: 'page',
      state: 'ended',
      exitCode: 0,
      anchor: { mono: '1', unixNano: '1' },
      eventCount: 1,
      links: [],
      containerIds: [],
    } as const;
    const lines = [JSON.stringify({ ...event, seq: 1 }), '{"type":"nonsense"}'];
    const body = new Uint8Array(await encodeTraceFile(newHeader(summary), lines));
    const put = (driver: string) =>
      lab.ask(`/rooms/${opened.code}/traces/${OTHER}`, {
        method: 'PUT',
        body,
        headers: { 'Content-Type': 'application/gzip', 'X-Driver': driver },
      });
    expect((await put('not-the-driver')).status).toBe(403);
    expect((await put(opened.driver)).status).toBe(202);
    await screen.until(() => expect(screen.events).toEqual(['recorded']));
    const file = await fetch(`${lab.outside}/api/rooms/${opened.code}/traces/${OTHER}`);
    const decoded = await decodeTraceFile(Buffer.from(await file.arrayBuffer()));
    expect(decoded.lines).toHaveLength(1);
    expect(decoded.header.summary.origin).toBe('recording');
  });

  test('a restarted lab has the room still, its driver and its place', async () => {
    const opened = await lab.openRoom();
    lab.store.accept(aSpanStarted({ id: 'first' }));
    const desk = await lab.presenter(opened);
    desk.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
    await desk.until(() => expect(desk.last('room')?.room.playhead.traceId).toBe(TRACE));
    await lab.stop();
    await lab.start();
    const screen = await lab.follower(opened.code);
    await screen.until(() => expect(screen.room?.playhead).toEqual(at(TRACE)));
    expect(screen.room?.isDriven).toBe(false);
    const again = await lab.presenter(opened);
    again.say({
      type: 'drive',
      driver: opened.driver,
      playhead: at(TRACE, { step: 2 }),
      lesson: null,
    });
    await screen.until(() => expect(screen.room?.playhead.step).toBe(2));
    await screen.until(() => expect(screen.events).toEqual(['first']));
  });
});

describe('the wheel', () => {
  test('is asked for and handed over; the old secret moves nothing any more', async () => {
    const opened = await lab.openRoom();
    const ada = await lab.presenter(opened);
    const bob = await DeskScreen.open(lab.base, opened.code, TOKEN);
    bob.say({ type: 'sit', name: 'Bob' });
    bob.say({ type: 'take-wheel' });
    await ada.until(() => expect(ada.last('wheel-asked')?.name).toBe('Bob'));
    expect(bob.last('wheel')).toBeUndefined();
    ada.say({ type: 'hand-over', driver: opened.driver, to: ada.last('wheel-asked')!.by });
    await bob.until(() => expect(bob.last('wheel')).toBeDefined());
    await ada.until(() => expect(ada.last('wheel-lost')?.to).toBe('Bob'));
    ada.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
    await ada.until(() => expect(ada.last('refused')?.message).toMatch(/somebody else/));
    expect(ada.last('room')?.room).toMatchObject({ presenter: 'Bob', playhead: { traceId: null } });
  });

  test('that nobody holds any more is there to be taken', async () => {
    const opened = await lab.openRoom();
    const ada = await lab.presenter(opened);
    const bob = await DeskScreen.open(lab.base, opened.code, TOKEN);
    bob.say({ type: 'sit', name: 'Bob' });
    ada.socket.terminate();
    await bob.until(() => expect(bob.last('room')?.room.isDriven).toBe(false));
    bob.say({ type: 'take-wheel' });
    await bob.until(() => expect(bob.last('wheel')).toBeDefined());
  });

  test('a phone that clicks moves the presenter, and with a wrong secret nobody', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const phone = await lab.follower(opened.code);
    phone.say({ type: 'click', clicker: 'x'.repeat(24), direction: 1 });
    phone.say({ type: 'click', clicker: opened.clicker, direction: -1 });
    await desk.until(() => expect(desk.last('click')).toBeDefined());
    expect(desk.frames.filter(({ type }) => type === 'click')).toEqual([
      { type: 'click', direction: -1 },
    ]);
  });
});

test('a room that nobody drives makes room for a new one, and one that is driven does not', async () => {
  const first = await lab.openRoom();
  await lab.presenter(first);
  const forgotten = await lab.openRoom();
  await lab.openRoom();
  await lab.openRoom();
  await lab.openRoom();
  const list = (await (await lab.ask('/rooms')).json()) as { rooms: { code: string }[] };
  const codes = list.rooms.map(({ code }) => code);
  expect(codes).toHaveLength(4);
  expect(codes).toContain(first.code);
  expect(codes).not.toContain(forgotten.code);
});

describe('the audience', () => {
  test('predicts, hidden until the presenter reveals it and the engine has decided', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const one = await lab.follower(opened.code);
    const two = await lab.follower(opened.code);
    desk.say({ type: 'poll', driver: opened.driver, question: question(['dockerd', 'shim']) });
    await one.until(() => expect(one.room?.poll?.ask).toBe('Who is the parent?'));
    one.say({ type: 'answer', poll: 'q1', say: 'shim' });
    two.say({ type: 'answer', poll: 'q1', say: 'dockerd' });
    await desk.until(() =>
      expect(desk.last('crowd')?.crowd.counts).toEqual({ shim: 1, dockerd: 1 }),
    );
    await one.until(() => expect(one.last('you')?.answer).toBe('shim'));
    const told = JSON.stringify([one.frames, two.frames]);
    expect(told).not.toContain('"counts"');
    expect(told).not.toContain('container.exists');

    lab.observed = [false, true];
    desk.say({ type: 'reveal', driver: opened.driver });
    await two.until(() =>
      expect(two.room?.poll?.revealed).toMatchObject({
        truth: 'shim',
        counts: { shim: 1, dockerd: 1 },
      }),
    );
    await desk.until(() =>
      expect(desk.last('crowd')?.crowd.results).toEqual([
        { poll: 'q1', ask: 'Who is the parent?', answered: 2, right: 1 },
      ]),
    );
  });

  test('a device that comes back is the same device: its answer is one answer', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    desk.say({ type: 'poll', driver: opened.driver, question: question(['shim']) });
    const phone = await lab.follower(opened.code);
    const { device } = phone.last('you')!;
    phone.say({ type: 'answer', poll: 'q1', say: 'shim' });
    await phone.until(() => expect(phone.last('you')?.answer).toBe('shim'));
    phone.socket.terminate();
    const again = await lab.follower(opened.code, device);
    await again.until(() => expect(again.last('you')?.answer).toBe('shim'));
    again.say({ type: 'answer', poll: 'q1', say: 'dockerd' });
    await desk.until(() =>
      expect(desk.last('crowd')?.crowd.counts).toEqual({ shim: 0, dockerd: 1 }),
    );
  });

  test('asks only for what is offered, in turn, and sees its place', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const one = await lab.follower(opened.code);
    const two = await lab.follower(opened.code);
    one.say({ type: 'ask', offer: 0 });
    await one.until(() => expect(one.last('you')?.note).toMatch(/does not offer/));
    desk.say({ type: 'offer', driver: opened.driver, commands: ['docker ps', 'docker version'] });
    await two.until(() => expect(two.room?.offers).toHaveLength(2));
    one.say({ type: 'ask', offer: 1 });
    await one.until(() => expect(one.last('you')?.note).toMatch(/runs now/));
    two.say({ type: 'ask', offer: 0 });
    await two.until(() => expect(two.last('you')?.place).toBe(1));
    await two.until(() => expect(two.last('you')?.note).toMatch(/runs now/));
    expect(lab.ran).toEqual(['docker version', 'docker ps']);
    expect(desk.last('ran')).toMatchObject({ command: 'docker ps', traceId: OTHER });
  });

  test('is counted: who is away, and on which screen of the lesson', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const phone = await lab.follower(opened.code);
    phone.say({ type: 'at', isAway: true, screen: 3 });
    await desk.until(() =>
      expect(desk.last('crowd')?.crowd).toMatchObject({ devices: 1, away: 1, screens: { 3: 1 } }),
    );
    phone.socket.terminate();
    await desk.until(() => expect(desk.last('crowd')?.crowd.devices).toBe(0));
  });
});

test('a bus that loses words is made good for: the follower asks again', async () => {
  /** Every third word is lost, as if the line broke for a moment, often. */
  class LeakyBus extends InProcessBus {
    #count = 0;
    #wake: () => void = () => undefined;
    override publish(subject: string, message: object): void {
      if (++this.#count % 3 !== 0) super.publish(subject, message);
      this.#wake();
    }
    /** The next word that is said, lost or not. */
    next(): Promise<void> {
      return new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
  const bus = new LeakyBus();
  const host = new RoomHost({
    room: Room.open('leaky-boat', 'Ada', 'ada'),
    bus,
    store: lab.store,
    engine: () => A_STATUS,
    run: () => Promise.reject(new Error('not here')),
    check: () => Promise.reject(new Error('not here')),
    save: () => undefined,
  });
  const replica = new RoomReplica('leaky-boat', bus);
  lab.store.accept(aSpanStarted({ id: 'e0' }));
  await host.drive(at(TRACE), null);
  for (let n = 1; n < 40; n += 1) {
    lab.store.accept(aSpanEvent({ id: `e${n}` }));
    if (n % 5 === 0) await bus.next();
  }
  await vi.waitFor(() => expect(replica.traces.lastSeq(TRACE)).toBe(40), 20_000);
  const ids = replica.traces
    .linesAfter(TRACE, 0)
    ?.map((line) => (JSON.parse(line) as { id: string }).id);
  expect(ids).toEqual(Array.from({ length: 40 }, (_, n) => `e${n}`));
  replica.close();
  host.close();
});
