/** The pages of a room come in a chunk of their own. */
import { lazy, Suspense } from 'react';
import type { RoomPlace } from './RoomApp.tsx';

const RoomApp = lazy(() =>
  import('./RoomApp.tsx').then(({ RoomApp: component }) => ({ default: component })),
);

export const RoomPage = ({ place }: { place: RoomPlace }) => (
  <Suspense>
    <RoomApp place={place} />
  </Suspense>
);
