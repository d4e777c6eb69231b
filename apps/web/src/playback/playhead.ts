/** The acts on the one playhead: opening a run, playing, stepping, seeking, and the time that goes by. */
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import type { RunModel } from '../model/run-model.ts';
import { markersOf } from '../model/markers.ts';
import { START_NS } from '../model/warp.ts';
import { advance, type Pace } from './pace.ts';
import { playhead, type PlayheadState } from './playhead-state.ts';

export { playhead, type PlayheadState };

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
    restsOn: null,
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
  playhead.setState((state) => {
    const goal = goalNow(state);
    const { staysAtEnd, stopAt, realNs } = state;
    if (staysAtEnd || goal === null)
      return { isLive, ...placeAt(state, staysAtEnd ? endOf(state) : realNs) };
    const { at, rest } = goal;
    return stopAt === null
      ? { isLive, ...placeAt(state, rest) }
      : { isLive, stopAt: rest, ...placeAt(state, Math.max(at, Math.min(realNs, rest))) };
  });
};

/** Where the step of `restsOn` now begins, and where one rests on it; null when there is none. */
const goalNow = ({
  model,
  level,
  restsOn,
}: PlayheadState): Record<'at' | 'rest', number> | null => {
  const index = restsOn === null ? undefined : model.order.indexOf(restsOn);
  const placed = index === undefined ? undefined : model.order.placed[index];
  if (index === undefined || !placed) return null;
  const step = model.steps(level).stepAfter(index + 1);
  if (model.steps(level).keyOf(step) !== index) return null;
  return { at: placed.at, rest: model.warp(level).restOf(step) };
};

export const seekReal = (realNs: number): void => {
  leaveOverview();
  playhead.setState((state) => ({
    ...placeAt(state, realNs),
    isPlaying: false,
    staysAtEnd: false,
    stopAt: null,
    restsOn: null,
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
  const wanted = Math.max(0, Math.min(step, model.steps(level).count));
  seekReal(model.warp(level).restOf(wanted));
  const key = model.steps(level).keyOf(wanted);
  playhead.setState({
    restsOn: key === undefined ? null : (model.order.placed[key]?.event.id ?? null),
  });
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
    restsOn: null,
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
  const placed = key === undefined ? undefined : model.order.placed[key];
  if (!placed) return seekReal(endOf(get()));
  const rest = model.warp(level).restOf(next);
  playhead.setState((state) => ({
    ...placeAt(state, animate ? placed.at : rest),
    isPlaying: animate,
    staysAtEnd: false,
    stopAt: animate ? rest : null,
    restsOn: placed.event.id,
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
  playhead.setState({ ...place, isPlaying: true, staysAtEnd: false, stopAt: null, restsOn: null });
};

export const pause = (): void => {
  leaveOverview();
  playhead.setState(({ isPlaying, restsOn }) => ({
    isPlaying: false,
    stopAt: null,
    // Who stops on the way to a step is not there.
    restsOn: isPlaying ? null : restsOn,
  }));
};

export const togglePlay = (): void => (get().isPlaying ? pause() : play());

export const setPace = (pace: Pace): void => {
  leaveOverview();
  playhead.setState((state) => ({
    pace,
    stopAt: null,
    restsOn: state.isPlaying ? null : state.restsOn,
    isPlaying: pace === 'step' ? false : state.isPlaying,
  }));
};

export const setLevel = (level: Level): void => {
  leaveOverview();
  playhead.setState((state) => ({
    stopAt: null,
    restsOn: null,
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
    restsOn: null,
  }));
};

/** How many steps of a live run have happened that the reader has not seen. */
export const stepsBehind = ({ model, level, step }: PlayheadState): number =>
  Math.max(0, model.steps(level).count - step);

/**
 * Time goes by on the reader's wall. Never backwards: a frame may have begun before the step that it is to show, and would
 * take it back for as long as the next frame takes; whoever steps on meanwhile would get the same step again.
 */
export const tick = (elapsedMs: number): void => {
  const state = get();
  if (!state.isPlaying) return;
  const warp = state.model.warp(state.level);
  const end = endOf(state);
  const target = state.stopAt ?? end;
  const pace = state.stopAt === null && !state.overview ? state.pace : 'learn';
  const hurry = state.overview ? Math.max(1, warp.endLearn / OVERVIEW_MS) : 1;
  const ahead = advance(state.realNs, elapsedMs * hurry, pace, warp);
  const realNs = Math.max(state.realNs, Math.min(target, ahead));
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
