/** The place of the stage. The stage itself comes in a chunk of its own, after the caption and the controls. */
import { lazy, Suspense } from 'react';

const Stage = lazy(() =>
  import('./Stage.tsx').then(({ Stage: component }) => ({ default: component })),
);

export const StageArea = () => (
  <section className="stage" aria-label="Stage">
    <Suspense fallback={<p className="stage-loading">Setting the stage</p>}>
      <Stage />
    </Suspense>
  </section>
);
