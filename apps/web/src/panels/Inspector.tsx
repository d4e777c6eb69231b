/** The evidence: the message, step or process that the reader chose, else the one that the playhead is at. */
import { Suspense } from 'react';
import { lazy } from '../lazy.ts';
import { t } from '../messages/catalogue.ts';
import { captionOf } from '../model/caption.ts';
import { offsetMs } from '../model/time-words.ts';
import type { Placed } from '../model/order.ts';
import type { RunModel } from '../model/run-model.ts';
import { seekEvent } from '../playback/playhead.ts';
import { useModelVersion, usePlayhead, useReader, useStepEvent } from '../hooks.ts';
import { select } from '../reader-store.ts';

/** At the first step there is something to take apart, not before. */
const EventFacts = lazy(() =>
  import('./EventFacts.tsx').then(({ EventFacts: component }) => ({ default: component })),
);
const ActorFacts = lazy(() =>
  import('./ActorFacts.tsx').then(({ ActorFacts: component }) => ({ default: component })),
);
const InspectorMore = lazy(() =>
  import('./InspectorMore.tsx').then(({ InspectorMore: component }) => ({ default: component })),
);
const ComponentPage = lazy(() =>
  import('./ComponentPage.tsx').then(({ ComponentPage: component }) => ({ default: component })),
);

export const Inspector = () => {
  const selected = useReader((state) => state.selected);
  return (
    <section className="inspector" aria-labelledby="inspector-title">
      {selected && 'actor' in selected ? (
        <>
          <Suspense>
            <ActorFacts actor={selected.actor} containerId={selected.containerId ?? null} />
          </Suspense>
          <Suspense>
            <ComponentPage actor={selected.actor} />
          </Suspense>
        </>
      ) : (
        <InspectedEvent />
      )}
      {selected && (
        <p>
          <button type="button" onClick={() => select(null)}>
            {t().inspector.follow} <kbd>Esc</kbd>
          </button>
        </p>
      )}
    </section>
  );
};

const InspectedEvent = () => {
  useModelVersion();
  const selected = useReader((state) => state.selected);
  const model = usePlayhead((state) => state.model);
  const atStep = useStepEvent();
  const chosen = selected && 'event' in selected ? model.placed(selected.event) : undefined;
  const placed = chosen ?? atStep;
  if (!placed) {
    return (
      <>
        <h2 id="inspector-title">{t().inspector.title}</h2>
        <p className="muted">{t().inspector.empty}</p>
      </>
    );
  }
  const { event, at } = placed;
  return (
    <>
      <h2 id="inspector-title">
        {t().inspector.title} · {t().inspector.types[event.type]}
      </h2>
      <p className="inspector-sentence">{captionOf(event, model)}</p>
      <Suspense>
        <EventFacts event={event} model={model} />
      </Suspense>
      <dl className="facts">
        <div>
          <dt>{t().inspector.happened}</dt>
          <dd className="mono">+{offsetMs(at)} ms</dd>
        </div>
        <div>
          <dt>{t().inspector.toldBy}</dt>
          <dd>
            {event.emitter.actor} <span className="mono">pid {event.emitter.pid}</span>
          </dd>
        </div>
        {event.source && (
          <div>
            <dt>{t().inspector.source}</dt>
            <dd className="mono breaks">{event.source}</dd>
          </div>
        )}
      </dl>
      <Causality model={model} placed={placed} />
      <Suspense>
        <InspectorMore model={model} placed={placed} />
      </Suspense>
    </>
  );
};

const EFFECTS_SHOWN = 6;

/** Effects that have not happened at the playhead are not told. */
const Causality = ({ model, placed }: { model: RunModel; placed: Placed }) => {
  const n = usePlayhead((state) => state.n);
  const cause = model.placed(placed.event.cause);
  const effects = model
    .effectsOf(placed.event.id)
    .filter(({ event }) => (model.order.indexOf(event.id) ?? 0) < n);
  return (
    <div className="causality">
      <h3>{t().inspector.causedBy}</h3>
      {cause ? (
        <EventLink model={model} placed={cause} />
      ) : (
        <p className="muted">{t().inspector.noCause}</p>
      )}
      {effects.length > 0 && <h3>{t().inspector.madeHappen}</h3>}
      {effects.slice(0, EFFECTS_SHOWN).map((effect) => (
        <EventLink key={effect.event.id} model={model} placed={effect} />
      ))}
      {effects.length > EFFECTS_SHOWN && (
        <p className="muted">{t().inspector.more(effects.length - EFFECTS_SHOWN)}</p>
      )}
    </div>
  );
};

const EventLink = ({ model, placed }: { model: RunModel; placed: Placed }) => (
  <button
    type="button"
    className="event-link"
    onClick={() => {
      seekEvent(placed.event.id);
      select({ event: placed.event.id });
    }}
  >
    <span className="mono">{offsetMs(placed.at)}</span> {captionOf(placed.event, model)}
  </button>
);
