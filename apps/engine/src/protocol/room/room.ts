/**
 * A room: one presenter shows a run, and every other screen follows. What is said here goes beside the frames of
 * `protocol/trace/stream.ts` on the same WebSocket: the trace is the same for everybody, a room says where in it we are.
 */
import type { Predicate, Value } from '../lesson/predicate.ts';
import type { Level } from '../trace/event.ts';

/** Two words, such as `amber-whale`: what is read out and typed on a phone. */
export const ROOM_CODE = /^[a-z]{2,12}-[a-z]{2,12}$/;
export const DEVICE_ID = /^[0-9a-f]{32}$/;

/** Where the presenter is. Followers run on from here by themselves, so a change is one small message. */
export interface RoomPlayhead {
  /** Null before anything is shown. */
  readonly traceId: string | null;
  readonly realNs: number;
  readonly step: number;
  /** It rests on `step`, wherever that is in what the follower has of the run. */
  readonly isResting: boolean;
  readonly level: Level;
  readonly pace: string;
  readonly isPlaying: boolean;
  readonly stopAt: number | null;
}

export interface RoomLesson {
  readonly id: string;
  readonly title: string;
  readonly screen: number;
  readonly screens: number;
}

export interface PollOption {
  readonly id: string;
  readonly say: string;
}

/** What the presenter asks. The truth is a question to the engine, and stays with the lab until it is revealed. */
export interface PollQuestion {
  readonly id: string;
  readonly ask: string;
  /** What one chooses from, or puts in order. Empty when a number is asked for. */
  readonly options: readonly PollOption[];
  readonly truth: PollTruth;
  /** The runs that the truth speaks of, by the names that it gives them. */
  readonly runs: Readonly<Record<string, string>>;
}

/** Of a choice the first rule that holds; of a number or an order the value of a fact. */
export type PollTruth =
  | {
      readonly kind: 'choice';
      readonly rules: readonly { readonly when: Predicate; readonly is: string }[];
    }
  | { readonly kind: 'number' | 'order'; readonly fact: Predicate };

/** An order as one answer: the ids of its options from first to last. */
export const ORDER_SEPARATOR = ',';

export interface RevealedPoll {
  /** How many said what; of many different answers the most frequent, and the others together under ''. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the engine says; null when it cannot say, and `why` says why. */
  readonly truth: string | null;
  readonly observed: Value;
  readonly why: string | null;
}

export interface RoomPoll {
  readonly id: string;
  readonly kind: PollTruth['kind'];
  readonly ask: string;
  readonly options: readonly PollOption[];
  readonly isOpen: boolean;
  readonly revealed: RevealedPoll | null;
}

/** All that a screen has to know; a late joiner gets the whole of it. */
export interface RoomState {
  readonly code: string;
  /** Grows with every change. */
  readonly version: number;
  /** The name that followers read: "Following …". */
  readonly presenter: string;
  /** Somebody has the wheel and is connected. */
  readonly isDriven: boolean;
  readonly playhead: RoomPlayhead;
  readonly lesson: RoomLesson | null;
  readonly poll: RoomPoll | null;
  /** Commands that the audience may ask for; empty: none. */
  readonly offers: readonly string[];
  readonly isOver: boolean;
}

/** What the presenter points at: every screen has a layout of its own, so it is a place in the box of an actor. */
export interface RoomPoint {
  /** As the stage names the box. */
  readonly box: string;
  /** In widths and heights of the box, from its corner; beside the box too. */
  readonly x: number;
  readonly y: number;
}

/** What only the presenter sees. */
export interface RoomCrowd {
  readonly devices: number;
  /** On a step of their own. */
  readonly away: number;
  readonly answered: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Of each question that was revealed: how many of the answers were right. */
  readonly results: readonly {
    readonly poll: string;
    readonly ask: string;
    readonly answered: number;
    readonly right: number;
  }[];
  /** By the number of the lesson's screen: how many devices are there. */
  readonly screens: Readonly<Record<string, number>>;
  readonly queue: readonly { readonly id: string; readonly command: string }[];
}

/** Lab → any screen of the room. */
export type RoomFrame =
  /** `elapsedMs`: how long ago the playhead was where it says. */
  | { readonly type: 'room'; readonly room: RoomState; readonly elapsedMs: number }
  /** Said once and kept by nobody: who comes late sees the next move. */
  | { readonly type: 'point'; readonly at: RoomPoint | null }
  /** What is the device's own. `device` is its secret: who comes back with it, is the same device. */
  | {
      readonly type: 'you';
      readonly device: string;
      readonly answer: string | null;
      /** Its place in the queue of requests, from 1; null when it waits for nothing. */
      readonly place: number | null;
      /** Why the last request is not taken, or what became of it. */
      readonly note: string | null;
    };

/** Any screen → lab. */
export type RoomWord =
  | {
      readonly type: 'join';
      /** `screen`: a projector, which is no device of anybody. */
      readonly as: 'device' | 'screen';
      readonly device?: string;
    }
  | { readonly type: 'at'; readonly isAway: boolean; readonly screen: number | null }
  | { readonly type: 'answer'; readonly poll: string; readonly say: string }
  | { readonly type: 'ask'; readonly offer: number }
  | { readonly type: 'click'; readonly clicker: string; readonly direction: 1 | -1 };

/** Lab → presenter. */
export type DeskFrame =
  | { readonly type: 'room'; readonly room: RoomState; readonly elapsedMs: number }
  | { readonly type: 'crowd'; readonly crowd: RoomCrowd }
  /** The wheel is yours, and this is its secret; the one before is worth nothing any more. */
  | { readonly type: 'wheel'; readonly driver: string; readonly clicker: string }
  | { readonly type: 'wheel-lost'; readonly to: string }
  /** Somebody asks for the wheel. */
  | { readonly type: 'wheel-asked'; readonly by: string; readonly name: string }
  | { readonly type: 'click'; readonly direction: 1 | -1 }
  /** A request of the audience has begun. */
  | { readonly type: 'ran'; readonly command: string; readonly traceId: string }
  /** The room wants a run that the lab does not have: `PUT …/traces/:traceId` brings it. */
  | { readonly type: 'trace-wanted'; readonly traceId: string }
  | { readonly type: 'refused'; readonly message: string };

/** Presenter → lab. What changes the room carries the driver's secret. */
export type DeskWord =
  | { readonly type: 'sit'; readonly name: string; readonly driver?: string }
  | {
      readonly type: 'drive';
      readonly driver: string;
      readonly playhead: RoomPlayhead;
      readonly lesson: RoomLesson | null;
    }
  | { readonly type: 'point'; readonly driver: string; readonly at: RoomPoint | null }
  | { readonly type: 'poll'; readonly driver: string; readonly question: PollQuestion | null }
  | { readonly type: 'close-poll'; readonly driver: string }
  | { readonly type: 'reveal'; readonly driver: string }
  | { readonly type: 'offer'; readonly driver: string; readonly commands: readonly string[] }
  | { readonly type: 'take-wheel' }
  | { readonly type: 'hand-over'; readonly driver: string; readonly to: string }
  | { readonly type: 'end'; readonly driver: string };

/** A line of `GET /api/rooms`. */
export interface RoomOfMine {
  readonly code: string;
  readonly presenter: string;
  readonly isDriven: boolean;
}

/** `POST /api/rooms` */
export interface RoomOpened {
  readonly code: string;
  readonly driver: string;
  readonly clicker: string;
  /** Where the audience goes, if it can reach this lab; else null, and `reach` says what to do. */
  readonly audienceUrl: string | null;
  readonly reach: string | null;
}
