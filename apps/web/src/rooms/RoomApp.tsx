/** The page of a room: `/room/CODE` on a phone or a laptop, `/present/CODE` on the projector, `/room` without a code. */
import { Suspense } from 'react';
import { lazy } from '../lazy.ts';
import { EnterCode } from './EnterCode.tsx';

const FollowView = lazy(() =>
  import('./FollowView.tsx').then(({ FollowView: component }) => ({ default: component })),
);
const PresentView = lazy(() =>
  import('./PresentView.tsx').then(({ PresentView: component }) => ({ default: component })),
);
const Clicker = lazy(() =>
  import('./Clicker.tsx').then(({ Clicker: component }) => ({ default: component })),
);

export interface RoomPlace {
  readonly view: 'room' | 'present';
  /** Empty when it is to be typed. */
  readonly code: string;
  /** The secret of a phone that moves the presentation; it stands in the fragment, which is sent to nobody. */
  readonly clicker: string | null;
}

export const RoomApp = ({ place: { view, code, clicker } }: { place: RoomPlace }) => (
  <Suspense>
    {code === '' ? (
      <EnterCode problem={null} />
    ) : clicker !== null ? (
      <Clicker code={code} secret={clicker} />
    ) : view === 'present' ? (
      <PresentView code={code} />
    ) : (
      <FollowView code={code} />
    )}
  </Suspense>
);
