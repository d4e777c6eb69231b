/**
 * A room that this page presents.
 *
 * opened       the room and its secrets; null when there is none      written by present.ts
 * room, crowd  what the lab says of it                                written by present.ts
 * hasWheel     what this page does moves the followers
 * wheelAsked   another presenter asks for it
 * isMirror     the page itself is the projected view                  written by the panel and the keys
 */
import { createStore } from 'zustand/vanilla';
import type {
  RoomCrowd,
  RoomOfMine,
  RoomOpened,
  RoomState,
} from '@engine-room/engine/protocol/room/room.ts';

export interface PresentState {
  readonly opened: RoomOpened | null;
  readonly openedAtMs: number;
  readonly isOpening: boolean;
  /** Rooms that are open already; the presenter chooses to go on in one, or to open another. */
  readonly others: readonly RoomOfMine[];
  readonly isConnected: boolean;
  readonly room: RoomState | null;
  readonly crowd: RoomCrowd | null;
  readonly hasWheel: boolean;
  readonly wheelAsked: { readonly by: string; readonly name: string } | null;
  /** The latest run of the audience. */
  readonly ran: { readonly command: string; readonly traceId: string } | null;
  readonly problem: string | null;
  readonly isMirror: boolean;
}

export const NO_ROOM: PresentState = {
  opened: null,
  openedAtMs: 0,
  isOpening: false,
  others: [],
  isConnected: false,
  room: null,
  crowd: null,
  hasWheel: false,
  wheelAsked: null,
  ran: null,
  problem: null,
  isMirror: false,
};

export const presentStore = createStore<PresentState>(() => NO_ROOM);

/** Only who presents has a projected view. */
export const toggleMirror = (): void =>
  presentStore.setState(({ opened, isMirror }) => ({ isMirror: opened !== null && !isMirror }));

/** Where a phone finds the room. */
export const joinUrl = ({ code, audienceUrl }: RoomOpened): string =>
  `${audienceUrl ?? location.origin}/room/${code}`;

/** Where a second presenter, who has the lab's token, sits down. */
export const deskUrl = ({ code }: RoomOpened): string => `${location.origin}/?desk=${code}`;

export const KEPT_ROOM = 'engine-room.room';

/** Whether this tab has presented a room before it was loaded anew. */
export const isRoomKept = (): boolean => {
  try {
    return sessionStorage.getItem(KEPT_ROOM) !== null;
  } catch {
    return false;
  }
};
