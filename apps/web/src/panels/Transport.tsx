/** Play, pause, step, pace and zoom, and both clocks side by side. */
import { useRef } from 'react';
import { t } from '../messages/catalogue.ts';
import { LEVELS } from '../model/levels.ts';
import { offsetMs } from '../model/time-words.ts';
import { PACES } from '../playback/pace.ts';
import {
  goToStart,
  nextCheckpoint,
  setLevel,
  setPace,
  stepBack,
  togglePlay,
} from '../playback/playhead.ts';
import { useEachMove, useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { openDialog } from '../reader-store.ts';
import { stepOn } from '../shortcuts.ts';
import { StatusMark } from '../stage/StatusMark.tsx';
import { Choice } from '../ui/Choice.tsx';

export const Transport = () => {
  useModelVersion();
  const isPlaying = usePlayhead((state) => state.isPlaying);
  const pace = usePlayhead((state) => state.pace);
  const gates = useReader((state) => state.gates.length);
  const isEmpty = usePlayhead(({ model }) => model.length === 0);
  return (
    <div className="transport">
      <div className="buttons" role="group" aria-label={t().transport.group}>
        <button
          type="button"
          onClick={goToStart}
          disabled={isEmpty}
          aria-label={t().transport.toStart}
        >
          |◀
        </button>
        <button type="button" onClick={stepBack} disabled={isEmpty} aria-label={t().transport.back}>
          ◀
        </button>
        <button type="button" className="primary play" onClick={togglePlay} disabled={isEmpty}>
          {isPlaying ? t().transport.pause : t().transport.play}
        </button>
        <button type="button" onClick={stepOn} disabled={isEmpty} aria-label={t().transport.next}>
          ▶
        </button>
        <button
          type="button"
          onClick={() => nextCheckpoint(1)}
          disabled={isEmpty}
          aria-label={t().transport.nextChapter}
        >
          ▶|
        </button>
      </div>
      <Choice
        name="pace"
        label={t().transport.pace}
        options={PACES}
        words={t().transport.paces}
        value={pace}
        onChange={setPace}
      />
      <Zoom />
      <button type="button" className="break-button" onClick={() => openDialog('break')}>
        <StatusMark kind="struck" />
        <span className="transport-word">{t().transport.break}</span>
      </button>
      <button type="button" className="gate-button" onClick={() => openDialog('gates')}>
        <StatusMark kind="blocked" />
        <span className="transport-word">{t().transport.hold(gates)}</span>
      </button>
      <Clocks />
    </div>
  );
};

export const Zoom = () => {
  const level = usePlayhead((state) => state.level);
  return (
    <Choice
      name="zoom"
      label={t().transport.zoom}
      options={LEVELS}
      words={t().transport.levels}
      value={level}
      onChange={setLevel}
    />
  );
};

const Clocks = () => {
  const learn = useRef<HTMLSpanElement>(null);
  const real = useRef<HTMLSpanElement>(null);
  useEachMove(({ model, level, realNs }) => {
    const warp = model.warp(level);
    if (learn.current) learn.current.textContent = seconds(warp.toLearn(realNs));
    // The playhead goes a little beyond the last event; the run does not.
    if (real.current) real.current.textContent = offsetMs(Math.min(realNs, model.endAt));
  });
  const learnEnd = usePlayhead(({ model, level }) => model.warp(level).endLearn);
  const realEnd = usePlayhead(({ model }) => model.endAt);
  return (
    <div className="clocks mono">
      <span className="clock-learning">
        <span className="clock-name">{t().transport.learning}</span> <span ref={learn} /> /{' '}
        {seconds(learnEnd)} s
      </span>
      <span>
        <span className="clock-name">{t().transport.real}</span>{' '}
        <b ref={real} data-testid="real-clock" /> / {offsetMs(realEnd)} ms
      </span>
    </div>
  );
};

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
