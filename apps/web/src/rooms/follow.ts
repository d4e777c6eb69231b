/**
 * A screen that follows a room. It is a replica: the same trace, folded and drawn here, with its own theme, language and
 * motion. What comes over the line is only where the presenter is; from there the playhead runs on by itself.
 */
import { createStore } from 'zustand/vanilla';
import type {
  RoomFrame,
  RoomPlayhead,
  RoomState,
  RoomWord,
} from '@engine-room/engine/protocol/room/room.ts';
import { REDUCED_MOTION } from '../breakpoints.ts';
import { startClock } from '../playback/clock.ts';
import { PACES } from '../playback/pace.ts';
import {
  noteGrowth,
  openRun,
  playhead,
  seekReal,
  seekStep,
  setLevel,
  tick,
} from '../playback/playhead.ts';
import { laserStore } from './laser-store.ts';
import { LabConnection } from '../trace/connection.ts';
import { traceStore } from '../trace/trace-store.ts';

type You = Extract<RoomFrame, { type: 'you' }>;

export interface FollowState {
  readonly room: RoomState | null;
  readonly you: You | null;
  /** The reader went somewhere else; Rejoin brings them back. */
  readonly isAway: boolean;
}

export const followStore = createStore<FollowState>(() => ({
  room: null,
  you: null,
  isAway: false,
}));

/** Closer than this to the presenter is not worth a jump, in learning time. */
const CLOSE_MS = 250;

let connection: LabConnection | null = null;
let isApplying = false;
/** When the playhead of `room` was true, on this page's clock. */
let trueAtMs = 0;

/** Answers what ends it. */
export const startFollowing = (code: string, as: 'device' | 'screen'): (() => void) => {
  const key = `engine-room.device.${code}`;
  const line = new LabConnection(null, {
    stream: `/api/rooms/${code}/stream`,
    why: `/api/rooms/${code}`,
    trace: (traceId) => `/api/rooms/${code}/traces/${traceId}`,
    onGreeting: () => {
      const device = as === 'device' ? stored(key) : null;
      say({ type: 'join', as, ...(device === null ? {} : { device }) });
      tellWhere();
    },
    onFrame: (frame) => take(frame as RoomFrame, key),
  });
  connection = line;
  const ends = [
    startClock(),
    traceStore.subscribe(({ revision }, before) => {
      if (revision !== before.revision) grown();
    }),
    playhead.subscribe((now, before) => {
      // Every own way of going somewhere says so; following never does.
      if (!isApplying && before.isFollowing && !now.isFollowing) leave();
    }),
  ];
  line.open();
  return () => {
    for (const end of ends) end();
    line.close();
    connection = null;
  };
};

export const say = (word: RoomWord): void => connection?.say(word);

export const leave = (): void => {
  if (followStore.getState().isAway) return;
  followStore.setState({ isAway: true });
  tellWhere();
};

export const rejoin = (): void => {
  followStore.setState({ isAway: false });
  tellWhere();
  apply();
};

const tellWhere = (): void => {
  const { isAway, room } = followStore.getState();
  say({ type: 'at', isAway, screen: room?.lesson?.screen ?? null });
};

const take = (frame: RoomFrame, key: string): void => {
  if (frame.type === 'you') {
    store(key, frame.device);
    return followStore.setState({ you: frame });
  }
  if (frame.type === 'point') return laserStore.setState({ at: frame.at });
  if (frame.type !== 'room') return;
  const before = followStore.getState().room;
  trueAtMs = performance.now() - frame.elapsedMs;
  followStore.setState({ room: frame.room });
  if (frame.room.isOver) connection?.close();
  if (before?.lesson?.screen !== frame.room.lesson?.screen) tellWhere();
  apply();
};

/** More of the run has come: perhaps also the place where the presenter is. */
const grown = (): void => {
  const { traceId } = playhead.getState();
  const run = traceId === null ? undefined : traceStore.getState().runs.get(traceId);
  if (run) noteGrowth(run.summary.state === 'running');
  if (!playhead.getState().isPlaying) apply();
};

const apply = (): void => {
  const { room, isAway } = followStore.getState();
  if (!room || isAway) return;
  isApplying = true;
  try {
    goAlong(room.playhead);
  } finally {
    isApplying = false;
  }
};

const goAlong = (place: RoomPlayhead): void => {
  const run = place.traceId === null ? undefined : traceStore.getState().runs.get(place.traceId);
  if (!run || place.traceId === null) return;
  const isLive = run.summary.state === 'running';
  if (playhead.getState().traceId !== place.traceId) openRun(place.traceId, run.model, { isLive });
  if (playhead.getState().level !== place.level) setLevel(place.level);
  const pace = PACES.find((each) => each === place.pace) ?? 'learn';
  const isStill = matchMedia(REDUCED_MOTION).matches;
  if (!place.isPlaying || (isStill && place.stopAt !== null)) {
    if (place.isResting) seekStep(place.step);
    else seekReal(place.isPlaying && place.stopAt !== null ? place.stopAt : place.realNs);
    playhead.setState({ pace, isFollowing: true });
    return;
  }
  runOn(place, pace);
};

/** Plays from where the presenter was, as far as time has gone by since. */
const runOn = (place: RoomPlayhead, pace: (typeof PACES)[number]): void => {
  const before = playhead.getState();
  const elapsedMs = performance.now() - trueAtMs;
  if (!(
    before.isPlaying &&
    before.pace === pace &&
    before.stopAt === place.stopAt &&
    isClose(place, elapsedMs)
  ))
    seekReal(place.realNs);
  else return playhead.setState({ isFollowing: true });
  playhead.setState({ pace, isPlaying: true, stopAt: place.stopAt, isFollowing: true });
  tick(elapsedMs);
};

const isClose = ({ realNs, pace }: RoomPlayhead, elapsedMs: number): boolean => {
  const { model, level, realNs: here } = playhead.getState();
  const warp = model.warp(level);
  const isAtOnce = pace === 'real';
  const expected = isAtOnce
    ? warp.toLearn(realNs + elapsedMs * 1e6)
    : warp.toLearn(realNs) + elapsedMs;
  return Math.abs(warp.toLearn(here) - expected) < CLOSE_MS;
};

function stored(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Then a reload makes it another device.
  }
}
