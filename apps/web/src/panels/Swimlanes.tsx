/**
 * When: one lane for each actor, over learning time. The ruler above counts learning time, the one below the real
 * clock, so that both are read off one position. Drag to seek.
 */
import { memo, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import { captionOf } from '../model/caption.ts';
import type { ActorFacts } from '../model/actors.ts';
import { lifelinesOf, type Bar } from '../model/lifelines.ts';
import { markersOf, type MarkerKind } from '../model/markers.ts';
import type { RunModel } from '../model/run-model.ts';
import { labelIn } from '../model/swapped.ts';
import { offsetMs } from '../model/time-words.ts';
import { goToEnd, goToStart, playhead, seekLearn, stepBack } from '../playback/playhead.ts';
import { useCast, useEachMove, useModelVersion, usePlayhead, useStepEvent } from '../hooks.ts';
import { stepOn } from '../shortcuts.ts';

const MARKS: Readonly<Record<MarkerKind, string>> = {
  birth: '+',
  death: '†',
  output: '»',
  failure: '✕',
};

export const Swimlanes = () => {
  const version = useModelVersion();
  const model = usePlayhead((state) => state.model);
  const cast = useCast();
  const level = usePlayhead((state) => state.level);
  const step = usePlayhead((state) => state.step);
  const { count } = model.steps(level);
  const placed = useStepEvent();
  const field = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const veil = useRef<HTMLDivElement>(null);

  useEachMove((state) => {
    const warp = state.model.warp(state.level);
    const share = percent(warp.toLearn(state.realNs), warp.endLearn);
    // Both are as wide as the field, so a share of their own width is a share of the run; nothing is laid out anew.
    if (line.current) line.current.style.transform = `translateX(${share})`;
    if (veil.current) veil.current.style.transform = `translateX(${share})`;
  });

  const seekTo = (event: PointerEvent): void => {
    const box = field.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    const { model: shown, level: zoom } = playhead.getState();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    seekLearn(share * shown.warp(zoom).endLearn);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = { ArrowRight: stepOn, ArrowLeft: stepBack, Home: goToStart, End: goToEnd }[
      event.key
    ];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div className="lanes">
      <div className="lane-names" aria-hidden="true">
        <span className="lane-unit">s</span>
        {cast.map(({ actor, domain }) => (
          <span key={actor} data-domain={domain}>
            {labelIn(model.machineAt(model.length), actor)}
          </span>
        ))}
        <span className="lane-unit">ms</span>
      </div>
      <div
        ref={field}
        className="lane-field"
        role="slider"
        tabIndex={0}
        data-own-arrows
        aria-label={t().dock.playhead}
        aria-valuemin={0}
        aria-valuemax={count}
        aria-valuenow={step}
        aria-valuetext={
          placed
            ? `${t().caption.step(step, count)} ${captionOf(placed.event, model)}`
            : t().caption.before
        }
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          seekTo(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
        }}
      >
        <Lanes model={model} version={version} level={level} cast={cast} />
        <div ref={veil} className="lane-veil" />
        <div ref={line} className="lane-playhead" />
      </div>
    </div>
  );
};

const percent = (value: number, whole: number): string =>
  `${whole === 0 ? 0 : (value / whole) * 100}%`;

interface LanesProps {
  readonly model: RunModel;
  readonly version: number;
  readonly level: Level;
  readonly cast: readonly ActorFacts[];
}

/** Drawn again only when the run grows or the zoom changes. */
const Lanes = memo(({ model, level, cast }: LanesProps) => {
  const warp = model.warp(level);
  const whole = warp.endLearn;
  const x = (at: number): string => percent(warp.toLearn(at), whole);
  const lines = lifelinesOf(model, level);
  const barStyle = ({ from, to }: Bar) => {
    const begin = warp.toLearn(from);
    const end = to === null ? whole : warp.toLearn(to);
    return { left: percent(begin, whole), width: percent(Math.max(0, end - begin), whole) };
  };
  return (
    <>
      <div className="ruler">
        {ticks(whole).map((ms) => (
          <span key={ms} style={{ left: percent(ms, whole) }}>
            {ms / 1000}
          </span>
        ))}
      </div>
      {cast.map(({ actor, domain }) => (
        <div key={actor} className="lane" data-domain={domain}>
          {lines[actor].map((bar) => (
            <span
              key={bar.key}
              className="bar"
              data-kind={bar.kind}
              style={barStyle(bar)}
              title={bar.title}
            />
          ))}
          {markersOf(model)
            .filter(({ event }) => laneOf(event) === actor)
            .map(({ event, at, kind }) => (
              <span
                key={event.id}
                className="mark"
                data-kind={kind}
                style={{ left: x(at) }}
                title={captionOf(event, model)}
              >
                {MARKS[kind]}
              </span>
            ))}
        </div>
      ))}
      <div className="ruler ruler-real">
        {realTicks(model, level).map(({ at, share }) => (
          <span key={at} style={{ left: `${share * 100}%` }}>
            {offsetMs(at)}
          </span>
        ))}
      </div>
    </>
  );
});

const laneOf = (event: ReturnType<typeof markersOf>[number]['event']): string => {
  if (event.type === 'process' || event.type === 'dropped') return event.actor;
  if (event.type === 'output') return 'container';
  if (event.type === 'syscall') return 'kernel';
  return event.emitter.actor;
};

const TICKS = 10;

/** Round numbers of seconds. */
function ticks(wholeMs: number): readonly number[] {
  const step =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find(
      (seconds) => wholeMs / (seconds * 1000) <= TICKS,
    ) ?? 1800;
  const all = Array.from(
    { length: Math.floor(wholeMs / (step * 1000)) + 1 },
    (_, index) => index * step * 1000,
  );
  // A number at the very end would be cut off.
  return all.filter((ms) => ms <= wholeMs * 0.97);
}

/** The real clock is uneven on this ruler, so it is read off at even places. */
function realTicks(model: RunModel, level: Level): readonly { at: number; share: number }[] {
  if (model.length === 0) return [];
  const warp = model.warp(level);
  return Array.from({ length: TICKS }, (_, index) => {
    const share = index / TICKS;
    return {
      at: Math.max(0, Math.round(warp.toReal(share * warp.endLearn))) + index * 1e-6,
      share,
    };
  });
}
