/** Whether this page is one of a room, said by its address alone. */
import type { RoomPlace } from './RoomApp.tsx';

export const roomPlace = ({
  pathname,
  hash,
}: Pick<Location, 'pathname' | 'hash'>): RoomPlace | null => {
  const [, view, code = ''] = /^\/(room|present)(?:\/([a-z-]{0,25}))?\/?$/.exec(pathname) ?? [];
  if (view !== 'room' && view !== 'present') return null;
  return { view, code, clicker: new URLSearchParams(hash.slice(1)).get('clicker') };
};
