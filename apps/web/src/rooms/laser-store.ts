/** What the presenter points at, as the lab has said it last. */
import { createStore } from 'zustand/vanilla';
import type { RoomPoint } from '@engine-room/engine/protocol/room/room.ts';

export const laserStore = createStore<{ readonly at: RoomPoint | null }>(() => ({ at: null }));
