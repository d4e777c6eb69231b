/** The foot of the page: the transport, and the run over time as lanes or as a table. */
import { Suspense } from 'react';
import { lazy } from '../lazy.ts';
import { t } from '../messages/catalogue.ts';
import { readerStore } from '../reader-store.ts';
import { useReader } from '../hooks.ts';
import { Swimlanes } from './Swimlanes.tsx';
import { Tabs } from '../ui/Tabs.tsx';
import { Transport, Zoom } from './Transport.tsx';

const EventTable = lazy(() =>
  import('./EventTable.tsx').then(({ EventTable: component }) => ({ default: component })),
);

const TerminalPanel = lazy(() =>
  import('../terminal/TerminalPanel.tsx').then(({ TerminalPanel: component }) => ({
    default: component,
  })),
);

const Narration = lazy(() =>
  import('./Narration.tsx').then(({ Narration: component }) => ({ default: component })),
);

const ProcessTree = lazy(() =>
  import('./ProcessTree.tsx').then(({ ProcessTree: component }) => ({ default: component })),
);

export const Dock = () => {
  const dock = useReader((state) => state.dock);
  return (
    <section className="dock" data-dock={dock} aria-label={t().dock.region}>
      <Transport />
      <div className="zoom-phone">
        <Zoom />
      </div>
      <Tabs
        label={t().dock.views}
        tabs={['timeline', 'events', 'processes', 'narration', 'terminal'] as const}
        words={t().dock}
        value={dock}
        onChange={(next) => readerStore.setState({ dock: next })}
      >
        {dock === 'timeline' ? (
          <Swimlanes />
        ) : (
          <Suspense>
            {dock === 'events' ? (
              <EventTable />
            ) : dock === 'processes' ? (
              <ProcessTree />
            ) : dock === 'narration' ? (
              <Narration />
            ) : (
              <TerminalPanel />
            )}
          </Suspense>
        )}
      </Tabs>
    </section>
  );
};
