/** Play, pause, step, pace and zoom, and both clocks side by side. */
import { useRef } from 'react';
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import { LEVELS } from '../model/levels.ts';
import { offsetMs } from '../model/time-words.ts';
import { PACES, PACE_WORDS } from '../playback/pace.ts';
import {
  catchUp,
  goToStart,
  nextCheckpoint,
  setLevel,
  setPace,
  stepBack,
  stepsBehind,
  togglePlay,
} from '../playback/playhead.ts';
import { useEachMove, useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { readerStore } from '../reader-store.ts';
import { stepOn } from '../shortcuts.ts';
import { Choice } from '../ui/Choice.tsx';

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  chapter: 'Chapters',
  step: 'Steps',
  detail: 'Details',
};

export const Transport = () => {
  useModelVersion();
  const isPlaying = usePlayhead((state) => state.isPlaying);
  const pace = usePlayhead((state) => state.pace);
  const gates = useReader((state) => state.gates.length);
  const isEmpty = usePlayhead(({ model }) => model.length === 0);
  return (
    <div className="transport">
      <div className="buttons" role="group" aria-label="Transport">
        <button type="button" onClick={goToStart} disabled={isEmpty} aria-label="To the beginning">
          |◀
        </button>
        <button type="button" onClick={stepBack} disabled={isEmpty} aria-label="Previous step">
          ◀
        </button>
        <button type="button" className="primary play" onClick={togglePlay} disabled={isEmpty}>
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button type="button" onClick={stepOn} disabled={isEmpty} aria-label="Next step">
          ▶
        </button>
        <button
          type="button"
          onClick={() => nextCheckpoint(1)}
          disabled={isEmpty}
          aria-label="Next chapter"
        >
          ▶|
        </button>
      </div>
      <Choice label="Pace" options={PACES} words={PACE_WORDS} value={pace} onChange={setPace} />
      <Zoom />
      <button
        type="button"
        className="break-button"
        onClick={() => readerStore.setState({ isBreakOpen: true })}
      >
        Break…
      </button>
      <button
        type="button"
        className="gate-button"
        onClick={() => readerStore.setState({ isGatesOpen: true })}
      >
        {gates === 0 ? 'Hold…' : `Hold ${gates}…`}
      </button>
      <Behind />
      <Clocks />
    </div>
  );
};

export const Zoom = () => {
  const level = usePlayhead((state) => state.level);
  return (
    <Choice label="Zoom" options={LEVELS} words={LEVEL_WORDS} value={level} onChange={setLevel} />
  );
};

const Behind = () => {
  const behind = usePlayhead((state) => (state.isLive ? stepsBehind(state) : 0));
  if (behind < 2) return null;
  return (
    <button type="button" className="chip" data-tone="wait" onClick={catchUp}>
      {behind} steps behind: catch up
    </button>
  );
};

const Clocks = () => {
  const learn = useRef<HTMLSpanElement>(null);
  const real = useRef<HTMLSpanElement>(null);
  useEachMove(({ model, level, realNs }) => {
    const warp = model.warp(level);
    if (learn.current) learn.current.textContent = seconds(warp.toLearn(realNs));
    if (real.current) real.current.textContent = offsetMs(realNs);
  });
  const learnEnd = usePlayhead(({ model, level }) => model.warp(level).endLearn);
  const realEnd = usePlayhead(({ model }) => model.endAt);
  return (
    <div className="clocks mono">
      <span className="clock-learning">
        <span className="clock-name">learning</span> <span ref={learn} /> / {seconds(learnEnd)} s
      </span>
      <span>
        <span className="clock-name">real</span> <b ref={real} data-testid="real-clock" /> /{' '}
        {offsetMs(realEnd)} ms
      </span>
    </div>
  );
};

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
