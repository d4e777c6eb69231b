/** The stage for a narrow screen: the same actors in the same lanes as a list; a shrunken graph could not be read. */
import { t } from '../messages/catalogue.ts';
import { ACTORS, labelOf, type ActorFacts } from '../model/actors.ts';
import { statusOf } from '../model/actor-status.ts';
import { containersOf, shortId, shownContainer } from '../model/containers.ts';
import { labelIn } from '../model/swapped.ts';
import type { Journey } from '../model/journeys.ts';
import {
  useCast,
  useContainers,
  useMachine,
  useModelVersion,
  usePlayhead,
  useReader,
} from '../hooks.ts';
import { stepBack } from '../playback/playhead.ts';
import { select, toggleFocus } from '../reader-store.ts';
import { stepOn } from '../shortcuts.ts';
import { useSwipe } from '../ui/use-swipe.ts';
import { KernelChips } from './KernelChips.tsx';
import { LayerList } from './LayerPile.tsx';
import { StatusMark } from './StatusMark.tsx';
import { useJourneys } from './use-journeys.ts';

export const ActorList = () => {
  const cast = useCast();
  const containers = useContainers();
  const journeys = useJourneys();
  const swipe = useSwipe(stepOn, stepBack);
  const travelling = journeys.at(-1);
  const isSeveral = containers.length > 1;
  return (
    <section className="actor-list" aria-label={t().stage.region} {...swipe}>
      <ul>
        {cast.map((facts) => {
          if (!isSeveral || facts.domain !== 'container')
            return (
              <ActorLine
                key={facts.actor}
                facts={facts}
                travelling={travelling}
                containerId={null}
              />
            );
          // The place of the first of them is that of all containers.
          if (facts.actor !== 'shim') return null;
          return containers.map((id) => (
            <ContainerLines key={id} containerId={id} travelling={travelling} />
          ));
        })}
      </ul>
    </section>
  );
};

/** One container of several: folded, unless it is in focus or the story is at it. */
const ContainerLines = ({
  containerId,
  travelling,
}: {
  containerId: string;
  travelling: Journey | undefined;
}) => {
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const focus = useReader((state) => state.focus);
  const isOpen = shownContainer(machine, focus) === containerId;
  const state = containersOf(machine).find(({ id }) => id === containerId)?.state ?? 'unborn';
  return (
    <li data-domain="container" className="actor-list-container">
      <button type="button" aria-expanded={isOpen} onClick={() => toggleFocus(containerId)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'} </span>
        <b>{t().containers.one}</b> <span className="mono">{shortId(containerId)}</span>{' '}
        {t().containers.states[state]}
      </button>
      {isOpen && (
        <ul>
          {ACTORS.filter(({ domain }) => domain === 'container').map((facts) => (
            <ActorLine
              key={facts.actor}
              facts={facts}
              travelling={travelling?.containerId === containerId ? travelling : undefined}
              containerId={containerId}
            />
          ))}
        </ul>
      )}
    </li>
  );
};

const ActorLine = ({
  facts: { actor, glyph, domain },
  travelling,
  containerId,
}: {
  facts: ActorFacts;
  travelling: Journey | undefined;
  containerId: string | null;
}) => {
  const machine = useMachine(containerId);
  const status = statusOf(machine, actor);
  const isHere = travelling?.to === actor;
  return (
    <li data-domain={domain} data-status={status.kind} aria-current={isHere ? 'step' : undefined}>
      <button type="button" onClick={() => select({ actor, containerId })}>
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
      {actor === 'containerd' && <LayerList machine={machine} most={6} />}
      {actor === 'kernel' && <KernelChips machine={machine} />}
    </li>
  );
};
