/** Two browsers with the same token: what one of them does, the other does not get, on any way that there is. */
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { RoomOpened } from '../../protocol/room/room.ts';
import type { ServerFrame, TraceSummary } from '../../protocol/trace/stream.ts';
import { aSpanEvent, aSpanStarted, TRACE } from '../testing/events.ts';
import { at, OTHER, RoomLab, TOKEN } from '../testing/room-lab.ts';
import { DeskScreen } from '../testing/room-screens.ts';

let lab: RoomLab;

beforeEach(async () => {
  lab = await RoomLab.start();
});

afterEach(async () => {
  await lab.end();
});

const cookiesOf = async (base: string, headers: Record<string, string> = {}) =>
  (await fetch(`${base}/`, { headers, redirect: 'manual' })).headers.getSetCookie();

/** Loads the page, as a browser does before anything else. */
class Browser {
  readonly cookie: string;
  readonly id: string;

  private constructor(cookie: string, id: string) {
    this.cookie = cookie;
    this.id = id;
  }

  static async open(): Promise<Browser> {
    const [cookie = ''] = await cookiesOf(lab.base);
    const Cookie = cookie.split(';')[0] ?? '';
    await lab.ask('/run', { method: 'POST', headers: { Cookie }, body: '{"command":"x"}' });
    return new Browser(Cookie, lab.learners.at(-1)?.id ?? '');
  }

  ask(path: string, options: RequestInit = {}): Promise<Response> {
    return lab.ask(path, { ...options, headers: { Cookie: this.cookie } });
  }

  async titles(): Promise<readonly string[]> {
    return ((await (await this.ask('/traces')).json()) as TraceSummary[]).map(
      ({ traceId }) => traceId,
    );
  }

  async stream(): Promise<{ readonly frames: ServerFrame[]; readonly socket: WebSocket }> {
    const frames: ServerFrame[] = [];
    const socket = new WebSocket(
      `${lab.base.replace('http', 'ws')}/api/stream`,
      ['engine-room.v1', `token.${TOKEN}`],
      { headers: { Cookie: this.cookie } },
    );
    socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as ServerFrame));
    await once(socket, 'open');
    return { frames, socket };
  }
}

const announce = (traceId: string, learner: string): void => {
  lab.store.announce(traceId, { title: 'secret', argv: null, clientPid: null, learner });
  lab.store.accept(aSpanStarted({ traceId, id: `began/${traceId}` }));
};

test('the page brings a cookie that no script reads and no other site sends, and brings it once', async () => {
  const [cookie = '', ...more] = await cookiesOf(lab.base);
  expect(more).toEqual([]);
  expect(cookie).toMatch(
    /^engine-room-\d+=[\w-]{22}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
  );
  expect(await cookiesOf(lab.base, { Cookie: cookie.split(';')[0] ?? '' })).toEqual([]);
  expect(await cookiesOf(lab.base, { Cookie: 'engine-room-1=x' })).toHaveLength(1);
  expect(await cookiesOf(lab.outside)).toEqual([]);
});

test('the cookie without the token opens nothing', async () => {
  const { cookie } = await Browser.open();
  const response = await fetch(`${lab.base}/api/traces`, { headers: { Cookie: cookie } });
  expect(response.status).toBe(401);
});

test('each browser is a learner of its own, and stays that one', async () => {
  const [ada, bob] = [await Browser.open(), await Browser.open()];
  expect(ada.id).not.toBe(bob.id);
  await ada.ask('/run', { method: 'POST', body: '{"command":"x"}' });
  expect(lab.learners.at(-1)).toEqual({ id: ada.id });
  for (const { cookie } of [ada, bob])
    expect(ada.id + bob.id).not.toContain(cookie.split('=')[1] ?? '');
});

test('a run of one is in no list, file or stream of the other; a terminal’s is in both', async () => {
  const [ada, bob] = [await Browser.open(), await Browser.open()];
  announce(TRACE, ada.id);
  lab.store.accept(aSpanStarted({ traceId: OTHER }));
  expect(await ada.titles()).toEqual([OTHER, TRACE]);
  expect(await bob.titles()).toEqual([OTHER]);
  expect((await ada.ask(`/traces/${TRACE}`)).status).toBe(200);
  expect((await bob.ask(`/traces/${TRACE}`)).status).toBe(404);
  expect((await lab.ask(`/traces/${TRACE}`)).status).toBe(404);

  const { frames, socket } = await bob.stream();
  // It asks by name for what it has heard of, and is there while more of it happens.
  socket.send(JSON.stringify({ type: 'resume', have: { [TRACE]: 0 } }));
  lab.store.accept(aSpanEvent({ traceId: TRACE }));
  lab.store.accept(aSpanEvent({ traceId: OTHER, id: 'last' }));
  await expect.poll(() => JSON.stringify(frames)).toContain('"id":"last"');
  expect(JSON.stringify(frames)).not.toContain(TRACE);
  socket.terminate();
});

test('a room shows its presenter’s runs, and nobody else’s by their name', async () => {
  const [ada, bob] = [await Browser.open(), await Browser.open()];
  announce(TRACE, ada.id);
  const body = '{"presenter":"Bob"}';
  const opened = (await (await bob.ask('/rooms', { method: 'POST', body })).json()) as RoomOpened;
  const desk = await DeskScreen.open(lab.base, opened.code, TOKEN, bob.cookie);
  desk.say({ type: 'sit', name: 'Bob', driver: opened.driver });
  desk.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
  await desk.until(() => expect(desk.last('trace-wanted')).toBeDefined());
  const file = await fetch(`${lab.outside}/api/rooms/${opened.code}/traces/${TRACE}`);
  expect(file.status).toBe(404);
});

test('a colleague at a desk is a guest until the wheel is handed over, and then shows runs of their own', async () => {
  const [ada, bob] = [await Browser.open(), await Browser.open()];
  announce(TRACE, ada.id);
  announce(OTHER, bob.id);
  const body = '{"presenter":"Ada"}';
  const opened = (await (await ada.ask('/rooms', { method: 'POST', body })).json()) as RoomOpened;
  const { code, driver } = opened;
  expect(await (await bob.ask('/rooms')).json()).toMatchObject({ rooms: [] });
  expect(await (await ada.ask('/rooms')).json()).toMatchObject({ rooms: [{ code }] });
  await expect(DeskScreen.open(lab.base, 'no-such', TOKEN, bob.cookie)).rejects.toThrow('404');

  const guest = await DeskScreen.open(lab.base, code, TOKEN, bob.cookie);
  guest.say({ type: 'sit', name: 'Bob' });
  guest.say({ type: 'take-wheel' });
  await guest.until(() => expect(guest.last('refused')?.message).toContain('presenter is away'));
  const desk = await DeskScreen.open(lab.base, code, TOKEN, ada.cookie);
  desk.say({ type: 'sit', name: 'Ada', driver });
  await desk.until(() => expect(desk.last('wheel')).toBeDefined());
  await desk.until(() => expect(desk.last('crowd')).toBeDefined());
  guest.say({ type: 'take-wheel' });
  await desk.until(() => expect(desk.last('wheel-asked')?.name).toBe('Bob'));
  expect(guest.frames.map(({ type }) => type)).not.toContain('crowd');
  expect(guest.last('wheel')).toBeUndefined();

  desk.say({ type: 'hand-over', driver, to: desk.last('wheel-asked')?.by ?? '' });
  await guest.until(() => expect(guest.last('crowd')).toBeDefined());
  const theirs = guest.last('wheel')?.driver ?? '';
  const show = async (traceId: string) => {
    guest.say({ type: 'drive', driver: theirs, playhead: at(traceId), lesson: null });
    await guest.until(() => expect(guest.last('room')?.room.playhead.traceId).toBe(traceId));
    return (await fetch(`${lab.outside}/api/rooms/${code}/traces/${traceId}`)).status;
  };
  expect(await show(OTHER)).toBe(200);
  expect(await show(TRACE)).toBe(404);
  // Who has opened the room may come back to it.
  guest.socket.close();
  await desk.until(() => expect(desk.last('room')?.room.isDriven).toBe(false));
  desk.say({ type: 'take-wheel' });
  await desk.until(() => expect(desk.last('wheel')?.driver).not.toBe(driver));
});
