/** The stage for a narrow screen: the same actors in the same lanes as a list; a shrunken graph could not be read. */
import { labelOf } from '../model/actors.ts';
import { statusOf } from '../model/actor-status.ts';
import { labelIn } from '../model/swapped.ts';
import { useCast, useModelVersion, usePlayhead } from '../hooks.ts';
import { stepBack } from '../playback/playhead.ts';
import { select } from '../reader-store.ts';
import { stepOn } from '../shortcuts.ts';
import { useSwipe } from '../ui/use-swipe.ts';
import { KernelChips } from './KernelChips.tsx';
import { StatusMark } from './StatusMark.tsx';
import { useJourneys } from './use-journeys.ts';

export const ActorList = () => {
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const cast = useCast();
  const journeys = useJourneys();
  const swipe = useSwipe(stepOn, stepBack);
  const travelling = journeys.at(-1);
  return (
    <section className="actor-list" aria-label="Stage" {...swipe}>
      <ul>
        {cast.map(({ actor, glyph, domain }) => {
          const status = statusOf(machine, actor);
          const isHere = travelling?.to === actor;
          return (
            <li
              key={actor}
              data-domain={domain}
              data-status={status.kind}
              aria-current={isHere ? 'step' : undefined}
            >
              <button type="button" onClick={() => select({ actor })}>
                <span>
                  <span aria-hidden="true">{glyph} </span>
                  <b className="actor-label">{labelIn(machine, actor)}</b>
                  {status.process && <span className="mono"> pid {status.process.pid}</span>}
                </span>
                <span className="actor-line">
                  <StatusMark kind={status.kind} />
                  {status.words}
                </span>
                {isHere && (
                  <span className="actor-line mono">
                    ← {labelOf(travelling.from)}: {travelling.label}
                  </span>
                )}
              </button>
              {actor === 'kernel' && <KernelChips machine={machine} />}
            </li>
          );
        })}
      </ul>
    </section>
  );
};
