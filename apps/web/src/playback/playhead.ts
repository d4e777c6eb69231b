/**
 * The one playhead. Everything that moves reads it, and nothing else owns a time.
 *
 * run, model      written by `open`
 * realNs          where we are, on the real clock of the run; every other position follows from it
 * n, step         derived from realNs (and level), kept here so that a component re-renders only when they change
 * isPlaying       written by play, pause, and by arriving somewhere
 * pace, level     written by the reader
 * staysAtEnd      true from End (or from having followed a run to it) until the reader goes elsewhere: what still arrives moves the end, and us with it
 * overview        a first run goes by in a few seconds, chapter by chapter; ended by whatever the reader does
 * isFollowing     true from a live run's beginning until the reader goes somewhere on their own
 *
 * Who draws per frame (tokens, clocks, the playhead's line) subscribes to realNs and writes to the DOM itself.
 */
import { createStore } from 'zustand/vanilla';
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import { RunModel } from '../model/run-model.ts';
import { START_NS } from '../model/warp.ts';
import { markersOf } from '../model/markers.ts';
import { advance } from './pace.ts';
import type { Pace } from './pace.ts';

export interface PlayheadState {
  readonly traceId: string | null;
  readonly model: RunModel;
  readonly realNs: number;
  readonly n: number;
  readonly step: number;
  readonly isPlaying: boolean;
  /** Playing ends here; null when it goes on to the end. */
  readonly stopAt: number | null;
  readonly pace: Pace;
  readonly level: Level;
  readonly staysAtEnd: boolean;
  /** `level` is the reader's own, and theirs again afterwards. */
  readonly overview: { readonly level: Level; readonly isOver: boolean } | null;
  readonly isFollowing: boolean;
  /** The run may still grow: its end is not the end. */
  readonly isLive: boolean;
}

export const playhead = createStore<PlayheadState>(() => ({
  traceId: null,
  model: new RunModel(),
  realNs: START_NS,
  n: 0,
  step: 0,
  isPlaying: false,
  stopAt: null,
  pace: 'learn',
  level: 'step',
  staysAtEnd: false,
  overview: null,
  isFollowing: false,
  isLive: false,
}));

/** How long an overview of a whole run takes. */
const OVERVIEW_MS = 8_000;

const get = (): PlayheadState => playhead.getState();

/** The last moment there is, a little after the last event. */
export const endOf = ({ model, level }: Pick<PlayheadState, 'model' | 'level'>): number =>
  model.warp(level).endReal;

type Place = Pick<PlayheadState, 'realNs' | 'n' | 'step'>;

const placeAt = (state: Pick<PlayheadState, 'model' | 'level'>, realNs: number): Place => {
  const clamped = Math.max(START_NS, Math.min(realNs, endOf(state)));
  const n = state.model.order.countAt(clamped);
  return { realNs: clamped, n, step: state.model.steps(state.level).stepAfter(n) };
};

/** Shows a run from its beginning. A live one is played at once. */
export const openRun = (
  traceId: string,
  model: RunModel,
  { isLive = false, play = false, asOverview = false } = {},
): void => {
  leaveOverview();
  playhead.setState((state) => ({
    traceId,
    model,
    isLive,
    isFollowing: play,
    isPlaying: play,
    staysAtEnd: false,
    stopAt: null,
    overview: asOverview ? { level: state.level, isOver: false } : null,
    ...(asOverview ? { level: 'chapter' as const } : {}),
    ...placeAt({ model, level: asOverview ? 'chapter' : state.level }, START_NS),
  }));
};

/** The reader takes over. */
const leaveOverview = (): void => {
  const { overview } = get();
  if (overview)
    playhead.setState((state) => ({ overview: null, ...zoomed(state, overview.level) }));
};

const zoomed = (state: PlayheadState, level: Level): Pick<PlayheadState, 'level'> & Place => ({
  level,
  ...placeAt({ ...state, level }, state.realNs),
});

/** The run has grown (or has been completed) under the playhead. */
export const noteGrowth = (isLive: boolean): void => {
  playhead.setState((state) => ({
    isLive,
    ...placeAt(state, state.staysAtEnd ? endOf(state) : state.realNs),
  }));
};

export const seekReal = (realNs: number): void => {
  leaveOverview();
  playhead.setState((state) => ({
    ...placeAt(state, realNs),
    isPlaying: false,
    staysAtEnd: false,
    stopAt: null,
    isFollowing: false,
  }));
};

export const seekLearn = (learnMs: number): void => {
  const { model, level } = get();
  seekReal(model.warp(level).toReal(learnMs));
};

/** Rests on a step; 0 is the beginning. */
export const seekStep = (step: number): void => {
  const { model, level } = get();
  seekReal(model.warp(level).restOf(Math.max(0, Math.min(step, model.steps(level).count))));
};

/** Rests on an event, whatever its level: on its step when it is one, else right at it. */
export const seekEvent = (id: string): void => {
  const { model, level } = get();
  const index = model.order.indexOf(id);
  const placed = index === undefined ? undefined : model.order.placed[index];
  if (index === undefined || !placed) return;
  const step = model.steps(level).stepAfter(index + 1);
  if (model.steps(level).keyOf(step) === index) seekStep(step);
  else seekReal(placed.at);
};

/** Goes to an event and watches what comes of it. */
export const playFrom = (id: string): void => {
  leaveOverview();
  const placed = get().model.placed(id);
  if (!placed) return;
  playhead.setState((state) => ({
    ...placeAt(state, placed.at),
    isPlaying: state.pace !== 'step',
    isFollowing: true,
    staysAtEnd: false,
    stopAt: null,
  }));
};

/** Goes to the next step and shows it happening: its message sets out and is seen under way. */
export const stepForward = ({ animate = true } = {}): void => {
  // After the overview the first step is what comes next.
  if (get().overview?.isOver) goToStart();
  leaveOverview();
  const { model, level, step } = get();
  const next = step + 1;
  const key = model.steps(level).keyOf(next);
  const at = key === undefined ? undefined : model.order.placed[key]?.at;
  if (at === undefined) return seekReal(endOf(get()));
  const rest = model.warp(level).restOf(next);
  playhead.setState((state) => ({
    ...placeAt(state, animate ? at : rest),
    isPlaying: animate,
    staysAtEnd: false,
    stopAt: animate ? rest : null,
    isFollowing: false,
  }));
};

export const stepBack = (): void => {
  leaveOverview();
  const { step } = get();
  seekStep(step - 1);
};

export const goToStart = (): void => seekReal(START_NS);

export const goToEnd = (): void => {
  seekReal(endOf(get()));
  playhead.setState({ staysAtEnd: true });
};

/** Checkpoints are the chapters of the run. */
export const nextCheckpoint = (direction: 1 | -1): void => {
  const { model, n } = get();
  goToKey(model.steps('chapter').keys, n, direction);
};

/** Markers: births, deaths, output and failures. */
export const nextMarker = (direction: 1 | -1): void => {
  const { model, n } = get();
  goToKey(
    markersOf(model).map(({ index }) => index),
    n,
    direction,
  );
};

function goToKey(keys: readonly number[], n: number, direction: 1 | -1): void {
  const { model } = get();
  // The event shown now is number n - 1.
  const key =
    direction === 1 ? keys.find((index) => index > n - 1) : keys.findLast((index) => index < n - 1);
  const placed = key === undefined ? undefined : model.order.placed[key];
  if (placed) seekEvent(placed.event.id);
  else if (direction === -1) goToStart();
  else goToEnd();
}

export const nudge = (deltaNs: number): void => seekReal(get().realNs + deltaNs);

export const play = (): void => {
  leaveOverview();
  const state = get();
  if (state.pace === 'step') return stepForward();
  const atEnd = state.realNs >= endOf(state);
  const place = atEnd && !state.isLive ? placeAt(state, START_NS) : {};
  playhead.setState({ ...place, isPlaying: true, staysAtEnd: false, stopAt: null });
};

export const pause = (): void => {
  leaveOverview();
  playhead.setState({ isPlaying: false, stopAt: null });
};

export const togglePlay = (): void => (get().isPlaying ? pause() : play());

export const setPace = (pace: Pace): void => {
  leaveOverview();
  playhead.setState((state) => ({
    pace,
    stopAt: null,
    isPlaying: pace === 'step' ? false : state.isPlaying,
  }));
};

export const setLevel = (level: Level): void => {
  leaveOverview();
  playhead.setState((state) => ({
    stopAt: null,
    isPlaying: state.isPlaying && state.stopAt === null,
    ...zoomed(state, level),
  }));
};

/** Goes to where a live run is now, and stays with it. */
export const catchUp = (): void => {
  leaveOverview();
  playhead.setState((state) => ({
    ...placeAt(state, endOf(state)),
    isPlaying: state.isLive,
    staysAtEnd: false,
    isFollowing: state.isLive,
    stopAt: null,
  }));
};

/** How many steps of a live run have happened that the reader has not seen. */
export const stepsBehind = ({ model, level, step }: PlayheadState): number =>
  Math.max(0, model.steps(level).count - step);

/** Time goes by on the reader's wall. */
export const tick = (elapsedMs: number): void => {
  const state = get();
  if (!state.isPlaying) return;
  const warp = state.model.warp(state.level);
  const end = endOf(state);
  const target = state.stopAt ?? end;
  const pace = state.stopAt === null && !state.overview ? state.pace : 'learn';
  const hurry = state.overview ? Math.max(1, warp.endLearn / OVERVIEW_MS) : 1;
  const realNs = Math.min(target, advance(state.realNs, elapsedMs * hurry, pace, warp));
  const arrived = realNs >= target;
  const waits = arrived && state.stopAt === null && state.isLive;
  playhead.setState({
    ...placeAt(state, realNs),
    isPlaying: !arrived || waits,
    // Who has followed a run to its end sees also what is told late.
    staysAtEnd: state.staysAtEnd || (arrived && !waits && state.isFollowing),
    stopAt: arrived ? null : state.stopAt,
    overview: state.overview && { ...state.overview, isOver: arrived && !waits },
  });
};
