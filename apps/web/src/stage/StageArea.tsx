/** The place of the stage. The stage itself comes in a chunk of its own, after the caption and the controls. */
import { t } from '../messages/catalogue.ts';
import { Suspense } from 'react';
import { lazy } from '../lazy.ts';

const Stage = lazy(() =>
  import('./Stage.tsx').then(({ Stage: component }) => ({ default: component })),
);

export const StageArea = () => (
  <section className="stage" aria-label={t().stage.region}>
    <Suspense fallback={<p className="stage-loading">{t().stage.loading}</p>}>
      <Stage />
    </Suspense>
  </section>
);
