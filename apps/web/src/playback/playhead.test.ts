import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { aRun } from '../model/a-run.fixture.ts';
import { RunModel } from '../model/run-model.ts';
import { START_NS } from '../model/warp.ts';
import {
  catchUp,
  endOf,
  goToEnd,
  goToStart,
  nextCheckpoint,
  noteGrowth,
  openRun,
  pause,
  play,
  playhead,
  seekEvent,
  seekReal,
  setLevel,
  setPace,
  stepBack,
  stepForward,
  stepsBehind,
  tick,
} from './playhead.ts';
import { PACES } from './pace.ts';

const RUN = aRun();
const FRAME_MS = 16;

const stateNow = (): string => {
  const { model, n } = playhead.getState();
  return JSON.stringify(model.machineAt(n));
};

const playOut = (): number => {
  let frames = 0;
  while (playhead.getState().isPlaying && frames < 100_000) {
    tick(FRAME_MS);
    frames += 1;
  }
  return frames * FRAME_MS;
};

beforeEach(() => {
  const model = new RunModel();
  model.add(RUN);
  openRun(RUN[0]?.traceId ?? '', model);
  setPace('learn');
  setLevel('step');
  goToStart();
});

describe('the playhead', () => {
  test('stepping forward and back meets the same states', () => {
    const forth: string[] = [];
    const { model } = playhead.getState();
    const { count } = model.steps('step');

    for (let step = 0; step < count; step += 1) {
      forth.push(stateNow());
      stepForward();
      playOut();
    }
    const back: string[] = [];
    for (let step = 0; step < count; step += 1) {
      stepBack();
      back.push(stateNow());
    }

    expect(playhead.getState().step).toBe(0);
    expect(back.reverse()).toEqual(forth);
  });

  test('a step moves at once and is under way within half a second', () => {
    stepForward();

    expect(playhead.getState()).toMatchObject({ step: 1, isPlaying: true });
    expect(playOut()).toBeLessThanOrEqual(500);
  });

  test('a frame that had begun before a step does not take it back: each press is one step', () => {
    for (let step = 1; step <= 3; step += 1) {
      stepForward();
      tick(-5);
      expect(playhead.getState()).toMatchObject({ step, isPlaying: true });
    }
  });

  test('each pace reaches the end, Real the fastest and Learn in under two minutes', () => {
    const lasted = new Map<string, number>();
    for (const pace of PACES.filter((pace) => pace !== 'step')) {
      goToStart();
      setPace(pace);
      play();
      lasted.set(pace, playOut());
      expect(playhead.getState().realNs).toBe(endOf(playhead.getState()));
    }

    expect(lasted.get('real')).toBeLessThan(300);
    expect(lasted.get('learn')).toBeGreaterThan(10_000);
    expect(lasted.get('learn')).toBeLessThan(120_000);
  });

  test('changing the level leaves the moment where it is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: START_NS, max: endOf(playhead.getState()), noNaN: true }),
        (realNs) => {
          seekReal(realNs);
          const { n } = playhead.getState();
          for (const level of ['chapter', 'detail', 'step'] as const) {
            setLevel(level);
            expect(playhead.getState()).toMatchObject({ realNs, n });
          }
        },
      ),
    );
  });

  test('seeking an event shows it as the last that happened', () => {
    for (const [index, { event }] of playhead.getState().model.order.placed.entries()) {
      seekEvent(event.id);
      expect(playhead.getState().n).toBe(index + 1);
    }
  });

  test('checkpoints lead through the chapters to the end', () => {
    const chapters = playhead.getState().model.steps('chapter').count;

    for (let chapter = 0; chapter < chapters; chapter += 1) nextCheckpoint(1);
    const { model, n } = playhead.getState();

    expect(model.steps('chapter').stepAfter(n)).toBe(chapters);
    goToEnd();
    expect(playhead.getState().n).toBe(RUN.length);
  });

  test('a live run is followed to its edge, waits there and goes on', () => {
    const model = new RunModel();
    model.add(RUN.slice(0, 30));
    openRun('live', model, { isLive: true, play: true });
    catchUp();
    for (let i = 0; i < 10; i += 1) tick(FRAME_MS);
    expect(playhead.getState()).toMatchObject({ isPlaying: true, n: 30 });

    model.add(RUN.slice(30));
    noteGrowth(false);
    expect(stepsBehind(playhead.getState())).toBeGreaterThan(0);
    playOut();

    expect(playhead.getState()).toMatchObject({ isPlaying: false, n: RUN.length });
    expect(stepsBehind(playhead.getState())).toBe(0);
  });

  test('whoever went to the end stays there while the rest of the run still arrives', () => {
    const model = new RunModel();
    model.add(RUN.slice(0, 20));
    openRun('late', model, { isLive: true });
    goToEnd();

    model.add(RUN.slice(20));
    noteGrowth(false);
    expect(playhead.getState().n).toBe(RUN.length);

    stepBack();
    const { n } = playhead.getState();
    noteGrowth(false);
    expect(playhead.getState().n).toBe(n);
  });

  test.each([false, true])(
    'what is told late moves the step that one rests on or goes to (%s), and one stays with it',
    (animate) => {
      const model = new RunModel();
      // The beginning of the run comes last, and with it every time and number changes.
      model.add(RUN.slice(9));
      openRun('late', model);
      goToStart();
      for (let i = 0; i < 3; i += 1) stepForward({ animate });
      const { step: told } = playhead.getState();
      const event = model.order.placed[model.steps('step').keyOf(told) ?? -1]?.event.id;

      model.add(RUN.slice(0, 9));
      noteGrowth(false);
      // On the way to a step one is on it already: the next key press goes on from there.
      const { step: underWay } = playhead.getState();
      playOut();

      const { step, realNs } = playhead.getState();
      expect(step).toBeGreaterThan(told);
      expect(underWay).toBe(step);
      expect(model.order.placed[model.steps('step').keyOf(step) ?? -1]?.event.id).toBe(event);
      expect(realNs).toBe(model.warp('step').restOf(step));
    },
  );

  test('an overview goes through the chapters of a run in some 8 seconds, then invites to step', () => {
    const model = new RunModel();
    model.add(RUN);
    openRun('a first run', model, { play: true, asOverview: true });
    expect(playhead.getState().level).toBe('chapter');

    const lastedMs = playOut();

    expect(lastedMs).toBeLessThan(8_200);
    expect(playhead.getState()).toMatchObject({ n: RUN.length, overview: { isOver: true } });
    stepForward();
    expect(playhead.getState()).toMatchObject({ step: 1, level: 'step', overview: null });
  });

  test('whatever the reader does ends the overview, where it is and at their own zoom', () => {
    for (const act of [
      pause,
      play,
      stepBack,
      catchUp,
      () => seekReal(1e6),
      () => setPace('slow'),
    ]) {
      const model = new RunModel();
      model.add(RUN);
      openRun('a first run', model, { play: true, asOverview: true });
      tick(2_000);
      act();
      expect(playhead.getState()).toMatchObject({ overview: null, level: 'step' });
    }
  });
});
