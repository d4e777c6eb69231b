/**
 * What travels. A token is an HTML element with a Web Animation along its road, and the animation's time is set from
 * the playhead: scrubbing, pausing and going back are exact, and no frame passes through React.
 */
import { useEffect, useRef } from 'react';
import { domainOf } from '../model/actors.ts';
import { journeyWords, type Journey } from '../model/journeys.ts';
import { playhead } from '../playback/playhead.ts';
import { REDUCED_MOTION } from '../breakpoints.ts';
import { useMedia } from '../hooks.ts';
import { boxOf, placeOf, type Point, type StageLayout } from './layout.ts';
import { halfway, milestones, roadBetween, type Party } from './roads.ts';

interface TokensProps {
  readonly layout: StageLayout;
  readonly journeys: readonly Journey[];
}

export const Tokens = ({ layout, journeys }: TokensProps) => (
  <div className="tokens" aria-hidden="true">
    {journeys.map((journey) => (
      <Token key={journey.id} layout={layout} journey={journey} />
    ))}
  </div>
);

const Token = ({ layout, journey }: { layout: StageLayout; journey: Journey }) => {
  const element = useRef<HTMLDivElement>(null);
  const isReduced = useMedia(REDUCED_MOTION);
  const { from, to, containerId, departs, lasts, kind, direction } = journey;

  useEffect(() => {
    const token = element.current;
    if (!token) return undefined;
    const road = roadOf(layout, { from, to, containerId });
    // A label above a road that goes across stands clear of the nodes at its ends.
    token.style.setProperty(
      '--clearance',
      `${boxOf(layout, placeOf(layout, from, containerId)).height / 2}px`,
    );
    if (isReduced) {
      token.style.transform = translation(halfway(road));
      return undefined;
    }
    const frames = milestones(road).map((point) => ({
      offset: point.share,
      transform: translation(point),
    }));
    const travel = token.animate(frames, { duration: lasts, fill: 'both' });
    travel.pause();
    const follow = (): void => {
      const { model, level, realNs } = playhead.getState();
      travel.currentTime = Math.max(
        0,
        Math.min(lasts, model.warp(level).toLearn(realNs) - departs),
      );
    };
    follow();
    const stop = playhead.subscribe(follow);
    return () => {
      stop();
      travel.cancel();
    };
  }, [layout, from, to, containerId, departs, lasts, isReduced]);

  return (
    <div
      ref={element}
      className="token"
      data-domain={domainOf(from)}
      data-kind={kind}
      data-direction={direction}
      data-side={sideOf(layout, journey)}
      title={journeyWords(journey)}
    >
      <span className="token-dot" />
      <span className="token-label mono">{journey.label}</span>
    </div>
  );
};

const roadOf = (
  layout: StageLayout,
  { from, to, containerId }: Pick<Journey, 'from' | 'to' | 'containerId'>,
): readonly Point[] => {
  const party = (actor: Journey['from']): Party => ({ actor, containerId });
  return roadBetween(layout, party(from), party(to));
};

const translation = ({ x, y }: Point): string => `translate(${x}px, ${y}px)`;

/** Where the label has room: beside a road that goes up or down, above one that goes across. */
function sideOf(layout: StageLayout, journey: Journey): 'left' | 'right' | 'above' {
  if (journey.from === 'docker' || journey.to === 'docker') return 'right';
  const road = roadOf(layout, journey);
  const middle = halfway(road);
  const [first, last] = [road[0], road.at(-1)];
  const isUpright = first && last && Math.abs(first.x - last.x) < Math.abs(first.y - last.y);
  // Above the line to the columns there is containerd.
  if (!isUpright && !layout.columns) return 'above';
  return middle.x > layout.width / 2 ? 'left' : 'right';
}
