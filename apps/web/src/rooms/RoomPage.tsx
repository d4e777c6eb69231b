/** The pages of a room come in a chunk of their own. */
import { Suspense } from 'react';
import { lazy } from '../lazy.ts';
import type { RoomPlace } from './RoomApp.tsx';

const RoomApp = lazy(() =>
  import('./RoomApp.tsx').then(({ RoomApp: component }) => ({ default: component })),
);

export const RoomPage = ({ place }: { place: RoomPlace }) => (
  <Suspense>
    <RoomApp place={place} />
  </Suspense>
);
