/** The presenter's desk against a lab that the test plays: what it tells the room, and what it lets out. */
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DeskFrame, RoomOfMine } from '@engine-room/engine/protocol/room/room.ts';
import { goToStart, seekStep } from '../playback/playhead.ts';
import { chooseRun } from '../session.ts';
import { readTrace } from '../trace/recorded-trace.ts';
import { openRecording } from '../trace/trace-store.ts';
import { headerOf } from '../trace/write-trace.ts';
import { NO_ROOM, presentStore, toggleMirror } from './present-store.ts';
import { startPresenting } from './present.ts';
import { PresentPanel } from './PresentPanel.tsx';
import { Drawn, line, listen, ROOM, RoomSocket, RUN, SUMMARY } from './room.fixture.tsx';

const OPENED = {
  code: 'amber-whale',
  driver: 'first-driver-secret',
  clicker: 'clicker-secret-1234',
  audienceUrl: 'http://10.0.0.7:7080',
  reach: null,
};
const CROWD = { devices: 3, away: 1, answered: 0, counts: {}, results: [], screens: {}, queue: [] };
const ROOM_FRAME: Extract<DeskFrame, { type: 'room' }> = { type: 'room', elapsedMs: 0, room: ROOM };
const WHEEL: DeskFrame = { type: 'wheel', driver: 'second-driver-secret', clicker: OPENED.clicker };

let drawn: Drawn;
let page: HTMLElement;
/** What is open already. */
let rooms: readonly RoomOfMine[];
let asked: { readonly url: string; readonly init: RequestInit }[];

const drives = () => line().sent.filter((word) => word.type === 'drive');
beforeEach(async () => {
  listen();
  asked = [];
  rooms = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    const body = init.method === undefined ? { rooms, audienceUrl: null, reach: null } : OPENED;
    return Promise.resolve(new Response(JSON.stringify(body), { status: 200 }));
  });
  presentStore.setState(NO_ROOM);
  chooseRun(openRecording({ header: headerOf(SUMMARY, 'a test'), events: RUN, caveat: null }));
  goToStart();
  drawn = new Drawn();
  ({ page } = drawn);
  await drawn.draw(<PresentPanel />, startPresenting);
  line().dispatchEvent(new Event('open'));
  await line().hear(ROOM_FRAME, { type: 'crowd', crowd: CROWD }, WHEEL);
});

afterEach(async () => {
  await line().hear({ ...ROOM_FRAME, room: { ...ROOM, isOver: true } });
  await drawn.remove();
});

test('it sits down with its secret, and shows the way in, the devices and what comes next', () => {
  expect(line().url.pathname).toBe('/api/rooms/amber-whale/desk');
  expect(line().sent[0]).toMatchObject({ type: 'sit', driver: OPENED.driver });
  expect(page.textContent).toContain('10.0.0.7:7080/room/amber-whale');
  expect(page.querySelector('svg.qr')?.getAttribute('aria-label')).toContain('amber-whale');
  expect(page.textContent).toContain('3 devices');
  expect(page.textContent).toContain('1 is on a step of their own');
  expect(page.textContent).toContain('Before the first step');
  // The secrets are for the line, and not for the screen.
  expect(page.innerHTML).not.toMatch(/driver-secret|clicker-secret/);
});

test('where it goes is told, with the newest secret, and what stays the same is not', async () => {
  await vi.waitFor(() => expect(drives()).toHaveLength(1));
  act(() => seekStep(3));
  await vi.waitFor(() => expect(drives()).toHaveLength(2));
  expect(drives()[1]).toMatchObject({
    driver: 'second-driver-secret',
    playhead: { traceId: SUMMARY.traceId, step: 3, isResting: true, isPlaying: false },
  });
  act(() => seekStep(3));
  act(() => seekStep(4));
  await vi.waitFor(() => expect(drives()).toHaveLength(3));
});

test('a run that the lab does not have is brought, whole', async () => {
  await line().hear({ type: 'trace-wanted', traceId: SUMMARY.traceId });
  await vi.waitFor(() => expect(asked.at(-1)?.init.method).toBe('PUT'));
  const { url, init } = asked.at(-1)!;
  expect(url).toBe(`/api/rooms/amber-whale/traces/${SUMMARY.traceId}`);
  expect(init.headers).toMatchObject({ 'X-Driver': 'second-driver-secret' });
  const file = new Uint8Array(await (init.body as Blob).arrayBuffer());
  expect((await readTrace(file)).events).toHaveLength(RUN.length);
});

test('who has lost the wheel tells nothing any more, and may ask for it', async () => {
  await vi.waitFor(() => expect(drives()).toHaveLength(1));
  await line().hear(
    { type: 'wheel-lost', to: 'Bob' },
    { ...ROOM_FRAME, room: { ...ROOM, presenter: 'Bob' } },
  );
  act(() => seekStep(5));
  expect(page.textContent).toContain('Bob drives');
  await drawn.press('Ask for the wheel');
  expect(line().sent.at(-1)).toEqual({ type: 'take-wheel' });
  await line().hear(WHEEL);
  await vi.waitFor(() => expect(drives()).toHaveLength(2));
});

test('a colleague who asks is answered by the presenter alone', async () => {
  await line().hear({ type: 'wheel-asked', by: 'bob-1', name: 'Bob' });
  expect(page.textContent).toContain('Bob asks for the wheel.');
  await drawn.press('Hand it over');
  expect(line().sent.at(-1)).toEqual({
    type: 'hand-over',
    to: 'bob-1',
    driver: 'second-driver-secret',
  });
});

test('a second presenter goes on in a room that is open, and asks for no wheel that is held', async () => {
  await line().hear({ ...ROOM_FRAME, room: { ...ROOM, isOver: true } });
  rooms = [{ code: 'amber-whale', presenter: 'Ada', isDriven: true }];
  await act(startPresenting);
  expect(page.textContent).toContain('You have rooms that are open already.');
  await drawn.press('Go on in amber-whale (Ada)');
  await vi.waitFor(() => expect(RoomSocket.opened).toHaveLength(2));
  line().dispatchEvent(new Event('open'));
  await line().hear(ROOM_FRAME, { type: 'crowd', crowd: CROWD });
  expect(line().sent).toEqual([{ type: 'sit', name: '' }]);
  expect(page.textContent).toContain('Ada drives');
  await line().hear({ ...ROOM_FRAME, room: { ...ROOM, isDriven: false } });
  expect(line().sent.at(-1)).toEqual({ type: 'take-wheel' });
});

test('the histogram is on the desk before the reveal', async () => {
  const poll = {
    id: 'q',
    kind: 'choice' as const,
    ask: 'Who is the parent?',
    options: [{ id: 'shim', say: 'the shim' }],
    isOpen: true,
    revealed: null,
  };
  await line().hear(
    { ...ROOM_FRAME, room: { ...ROOM, poll } },
    { type: 'crowd', crowd: { ...CROWD, answered: 2, counts: { shim: 2 } } },
  );
  expect(page.textContent).toContain('2 of 3 have answered');
  expect(page.textContent).toContain('2 (100 %)');
  await drawn.press('Reveal: the engine decides');
  // Where the presenter is may be told in between.
  expect(line().sent).toContainEqual({ type: 'reveal', driver: 'second-driver-secret' });
});

test('the screen is the projector only in a room', () => {
  act(toggleMirror);
  expect(presentStore.getState().isMirror).toBe(true);
  act(() => presentStore.setState(NO_ROOM));
  act(toggleMirror);
  expect(presentStore.getState().isMirror).toBe(false);
});
