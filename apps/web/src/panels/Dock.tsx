/** The foot of the page: the transport, and the run over time as lanes or as a table. */
import { lazy, Suspense } from 'react';
import { readerStore } from '../reader-store.ts';
import { useReader } from '../hooks.ts';
import { Swimlanes } from './Swimlanes.tsx';
import { Tabs } from '../ui/Tabs.tsx';
import { Transport, Zoom } from './Transport.tsx';

const EventTable = lazy(() =>
  import('./EventTable.tsx').then(({ EventTable: component }) => ({ default: component })),
);

const ProcessTree = lazy(() =>
  import('./ProcessTree.tsx').then(({ ProcessTree: component }) => ({ default: component })),
);

const WORDS = { timeline: 'Timeline', events: 'Events', processes: 'Processes' } as const;

export const Dock = () => {
  const dock = useReader((state) => state.dock);
  return (
    <section className="dock" data-dock={dock} aria-label="Time">
      <Transport />
      <div className="zoom-phone">
        <Zoom />
      </div>
      <Tabs
        label="Views of time"
        tabs={['timeline', 'events', 'processes'] as const}
        words={WORDS}
        value={dock}
        onChange={(next) => readerStore.setState({ dock: next })}
      >
        {dock === 'timeline' ? (
          <Swimlanes />
        ) : (
          <Suspense>{dock === 'events' ? <EventTable /> : <ProcessTree />}</Suspense>
        )}
      </Tabs>
    </section>
  );
};
