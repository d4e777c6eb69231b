/** Presenting: opens a room, keeps a desk in it, and tells it where this page's playhead is. */
import {
  ROOM_CODE,
  type DeskFrame,
  type DeskWord,
  type PollQuestion,
  type RoomLesson,
  type RoomOfMine,
  type RoomOpened,
  type RoomPlayhead,
  type RoomPoint,
} from '@engine-room/engine/protocol/room/room.ts';
import { lessonStore } from '../lessons/lesson-session.ts';
import { progressOf, progressStore } from '../lessons/progress.ts';
import { w } from '../messages/room-words.ts';
import { recall, remember } from '../memory.ts';
import { playhead, stepBack } from '../playback/playhead.ts';
import { readerStore } from '../reader-store.ts';
import { labToken } from '../session.ts';
import { stepOn } from '../shortcuts.ts';
import { traceStore } from '../trace/trace-store.ts';
import { headerOf, writeTrace } from '../trace/write-trace.ts';
import { KEPT_ROOM, NO_ROOM, presentStore } from './present-store.ts';

const NAME = 'engine-room.presenter';
/** A change is told at once; a slider that is dragged, no more often than this. */
const TELL_MS = 40;
/** While it plays, followers run on by themselves, and are set right now and then. */
const AGAIN_MS = 1_000;
const RETRY_MS = 1_000;

type WithoutDriver<Word> = Word extends { readonly driver: string } ? Omit<Word, 'driver'> : never;

let socket: WebSocket | null = null;
let told: RoomPlayhead | null = null;
let toldLesson: RoomLesson | null = null;
let toldAtMs = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let ends: readonly (() => void)[] = [];

export const presenterName = (): string => recall(NAME) ?? '';
export const setPresenterName = (name: string): void => remember(NAME, name.slice(0, 60));

const headers = (): Record<string, string> => {
  const token = labToken();
  return token === null ? {} : { Authorization: `Bearer ${token}` };
};

type Asked<Body> = Body | { readonly message: string };

const ask = async <Body extends object>(init: RequestInit = {}): Promise<Asked<Body>> => {
  try {
    const response = await fetch('/api/rooms', {
      ...init,
      headers: { 'Content-Type': 'application/json', ...headers() },
    });
    return (await response.json()) as Asked<Body>;
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
};

interface Rooms extends Pick<RoomOpened, 'audienceUrl' | 'reach'> {
  readonly rooms: readonly RoomOfMine[];
}

/** Opens a room; where some are open already, the presenter chooses first. */
export const startPresenting = async (): Promise<void> => {
  const { opened, isOpening } = presentStore.getState();
  if (opened || isOpening) return;
  presentStore.setState({ isOpening: true, problem: null });
  const answer = await ask<Rooms>();
  if (!('message' in answer) && answer.rooms.length > 0)
    return presentStore.setState({ isOpening: false, others: answer.rooms });
  await openRoom();
};

export const openRoom = async (): Promise<void> => {
  presentStore.setState({ isOpening: true, others: [], problem: null });
  const answer = await ask<RoomOpened>({
    method: 'POST',
    body: JSON.stringify({ presenter: presenterName() }),
  });
  if ('message' in answer) presentStore.setState({ isOpening: false, problem: answer.message });
  else begin(answer, Date.now());
};

/** A second presenter, or one who has lost the tab: sits down without the wheel. */
export const goOnIn = async (code: string): Promise<void> => {
  if (!ROOM_CODE.test(code)) return;
  const answer = await ask<Rooms>();
  if ('message' in answer) return presentStore.setState({ problem: answer.message });
  const { audienceUrl, reach } = answer;
  begin({ code, driver: '', clicker: '', audienceUrl, reach }, Date.now());
};

/** After a reload of the tab. */
export const resumePresenting = (): void => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_ROOM) ?? 'null') as {
      readonly opened: RoomOpened;
      readonly openedAtMs: number;
    } | null;
    if (kept) begin(kept.opened, kept.openedAtMs);
  } catch {
    // Storage may be forbidden, or hold what an older page has left.
  }
};

export const say = (word: WithoutDriver<DeskWord>): void => {
  const driver = presentStore.getState().opened?.driver ?? '';
  send({ ...word, driver } as DeskWord);
};

export const point = (at: RoomPoint | null): void => say({ type: 'point', at });

export const askRoom = (question: PollQuestion | null): void => say({ type: 'poll', question });

export const takeWheel = (): void => send({ type: 'take-wheel' });

export const endRoom = (): void => {
  say({ type: 'end' });
  stop(null);
};

const begin = (opened: RoomOpened, openedAtMs: number): void => {
  presentStore.setState({ ...NO_ROOM, opened, openedAtMs });
  keep();
  ends = [
    playhead.subscribe(tellSoon),
    lessonStore.subscribe(tellSoon),
    progressStore.subscribe(tellSoon),
  ];
  connect();
};

const keep = (): void => {
  const { opened, openedAtMs } = presentStore.getState();
  try {
    if (opened) sessionStorage.setItem(KEPT_ROOM, JSON.stringify({ opened, openedAtMs }));
    else sessionStorage.removeItem(KEPT_ROOM);
  } catch {
    // Then a reload loses the wheel, and it can be asked for.
  }
};

const stop = (problem: string | null): void => {
  for (const end of ends) end();
  ends = [];
  clearTimeout(timer);
  const line = socket;
  socket = null;
  line?.close();
  told = null;
  presentStore.setState({ ...NO_ROOM, problem });
  keep();
};

const connect = (): void => {
  const { opened } = presentStore.getState();
  if (!opened) return;
  const url = new URL(`/api/rooms/${opened.code}/desk`, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const token = labToken();
  const line = new WebSocket(
    url,
    token === null ? ['engine-room.v1'] : ['engine-room.v1', `token.${token}`],
  );
  socket = line;
  line.addEventListener('open', () => {
    const { driver } = presentStore.getState().opened ?? opened;
    send({ type: 'sit', name: presenterName(), ...(driver === '' ? {} : { driver }) });
  });
  line.addEventListener('message', ({ data }) => {
    if (socket === line) take(JSON.parse(String(data)) as DeskFrame);
  });
  line.addEventListener('close', () => {
    if (socket !== line) return;
    socket = null;
    presentStore.setState({ isConnected: false, hasWheel: false });
    void reconnect(opened.code);
  });
};

const reconnect = async (code: string): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  const status = await fetch(`/api/rooms/${code}`).then(
    (response) => response.status,
    () => null,
  );
  if (presentStore.getState().opened?.code !== code) return;
  // The lab is back, and has no such room: somebody has ended it.
  if (status === 404) return stop(null);
  connect();
};

const send = (word: DeskWord): void => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(word));
};

const take = (frame: DeskFrame): void => {
  switch (frame.type) {
    case 'room':
      if (frame.room.isOver) return stop(null);
      presentStore.setState({ room: frame.room, isConnected: true });
      // Nobody is asked for what nobody holds.
      if (!frame.room.isDriven && presentStore.getState().opened?.driver === '') takeWheel();
      return;
    case 'crowd':
      return presentStore.setState({ crowd: frame.crowd });
    case 'wheel':
      presentStore.setState(({ opened }) => ({
        opened: opened && { ...opened, driver: frame.driver, clicker: frame.clicker },
        hasWheel: true,
        wheelAsked: null,
        problem: null,
      }));
      keep();
      told = null;
      return tellSoon();
    case 'wheel-lost':
      return presentStore.setState({ hasWheel: false, wheelAsked: null });
    case 'wheel-asked':
      return presentStore.setState({ wheelAsked: { by: frame.by, name: frame.name } });
    case 'click':
      return frame.direction === 1 ? stepOn() : stepBack();
    case 'ran':
      return presentStore.setState({ ran: { command: frame.command, traceId: frame.traceId } });
    case 'trace-wanted':
      return void bringTrace(frame.traceId);
    case 'refused':
      presentStore.setState({ problem: frame.message });
  }
};

/** A recording, or a file that was opened here: the lab does not have it, the followers need it. */
const bringTrace = async (traceId: string): Promise<void> => {
  const { opened } = presentStore.getState();
  const run = traceStore.getState().runs.get(traceId);
  if (!opened || !run) return;
  const events = run.model.order.placed.map(({ event }) => event);
  const file = await writeTrace(run.header ?? headerOf(run.summary, w().savedFrom), events);
  const response = await fetch(`/api/rooms/${opened.code}/traces/${traceId}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/gzip', 'X-Driver': opened.driver, ...headers() },
    body: file,
  }).catch(() => null);
  if (response?.ok !== true)
    presentStore.setState({
      problem: w().notBrought(response?.status ?? 0),
    });
};

function tellSoon(): void {
  if (!presentStore.getState().hasWheel) return;
  const { isPlaying } = playhead.getState();
  const isChange =
    told === null || told.isPlaying !== isPlaying || told.stopAt !== playhead.getState().stopAt;
  const waitMs = isPlaying && !isChange ? AGAIN_MS : TELL_MS;
  const dueMs = Math.max(0, toldAtMs + waitMs - performance.now());
  if (isChange) clearTimeout(timer);
  else if (timer !== undefined) return;
  timer = setTimeout(tell, dueMs);
}

function tell(): void {
  timer = undefined;
  const place = placeNow();
  const lesson = lessonNow();
  toldAtMs = performance.now();
  if (isSame(place, told) && isSame(lesson, toldLesson)) return;
  told = place;
  toldLesson = lesson;
  say({ type: 'drive', playhead: place, lesson });
}

const isSame = (a: object | null, b: object | null): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

const placeNow = (): RoomPlayhead => {
  const { traceId, realNs, step, level, pace, isPlaying, stopAt, model } = playhead.getState();
  const isResting = !isPlaying && model.warp(level).restOf(step) === realNs;
  return { traceId, realNs, step, isResting, level, pace, isPlaying, stopAt };
};

const lessonNow = (): RoomLesson | null => {
  const { open } = lessonStore.getState();
  if (!open || readerStore.getState().lesson !== open.lesson.id) return null;
  const { id, title, screens } = open.lesson;
  const { screen } = progressOf(progressStore.getState().lessons, id);
  return { id, title, screen: screen + 1, screens: screens.length };
};
