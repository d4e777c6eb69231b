/**
 * What the reader has chosen to look at. None of it changes what happened.
 *
 * selected    an event, an actor, or nothing: then the inspector follows the playhead      written by panels and stage
 * focus       the container that was chosen of several                                     written by the stage
 * dock        which view of time is open                                                    written by Dock
 * dialog      the dialog that is open                                                        written by whoever opens it
 * lesson      the open lesson, '' for the list of them, null for none                       written by lessons/
 * isProjector the layout for a projector                                                     written by the switch and its key
 * isOpening   the recorded run of a first visit is on its way                                written by session.ts
 * sending     the request that the lab has not answered, and what it said                    written by session.ts
 */
import { createStore } from 'zustand/vanilla';
import { recall, remember } from './memory.ts';
import type { StageActor } from './model/actors.ts';

const LETTER_KEYS = 'engine-room.letter-keys';
const PROJECTOR = 'engine-room.projector';

export type DialogName = 'palette' | 'keys' | 'break' | 'compare' | 'gates';
export type Selection =
  | { readonly event: string }
  | { readonly actor: StageActor; readonly containerId?: string | null }
  | null;

export interface ReaderState {
  readonly selected: Selection;
  /** Of several containers the one that has the room; null for all alike. */
  readonly focus: string | null;
  readonly dock: 'timeline' | 'events' | 'processes' | 'narration' | 'terminal';
  /** The reader asked for the filter before the table was there. */
  readonly wantsFilter: boolean;
  readonly lesson: string | null;
  readonly isOpening: boolean;
  readonly sending: { readonly command: string; readonly sinceMs: number } | null;
  readonly refusal: {
    readonly command: string;
    readonly message: string;
    readonly position: number | null;
  } | null;
  /** Words that the lab added to a command, by the run. */
  readonly injected: ReadonlyMap<string, readonly string[]>;
  readonly dialog: DialogName | null;
  /** Where the next request is to be held. */
  readonly gates: readonly string[];
  /** What became of a file or a link, in a sentence. */
  readonly notice: string | null;
  /** Keys of one character can be switched off, for those who speak their commands: WCAG 2.1.4. */
  readonly hasLetterKeys: boolean;
  /** Large type and high contrast, for a wall. */
  readonly isProjector: boolean;
}

export const readerStore = createStore<ReaderState>(() => ({
  selected: null,
  focus: null,
  dock: 'timeline',
  wantsFilter: false,
  lesson: new URLSearchParams(globalThis.location?.hash.slice(1)).get('lesson'),
  isOpening: false,
  sending: null,
  refusal: null,
  injected: new Map(),
  dialog: null,
  gates: [],
  notice: null,
  hasLetterKeys: recall(LETTER_KEYS) !== 'off',
  isProjector: recall(PROJECTOR) === 'on',
}));

export const toggleProjector = (): void =>
  readerStore.setState(({ isProjector }) => {
    remember(PROJECTOR, isProjector ? 'off' : 'on');
    return { isProjector: !isProjector };
  });

export const setLetterKeys = (hasLetterKeys: boolean): void => {
  remember(LETTER_KEYS, hasLetterKeys ? 'on' : 'off');
  readerStore.setState({ hasLetterKeys });
};

/** The address names the lesson, so that it can be passed on. */
export const openLesson = (lesson: string | null): void => {
  const fragment = lesson === null ? '' : `#lesson=${lesson}`;
  history.replaceState(null, '', location.pathname + location.search + fragment);
  readerStore.setState({ lesson });
};

/** The same again lets go. */
export const toggleFocus = (id: string): void =>
  readerStore.setState(({ focus }) => ({ focus: focus === id ? null : id }));

export const openDialog = (dialog: DialogName): void => readerStore.setState({ dialog });

/** Only if it is still that one: another may have taken its place. */
export const closeDialog = (name: DialogName): void =>
  readerStore.setState(({ dialog }) => (dialog === name ? { dialog: null } : {}));

export const select = (selected: Selection): void => readerStore.setState({ selected });
