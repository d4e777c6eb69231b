/** The keys (`?` lists them). Single letters rest while one types, and can be switched off: WCAG 2.1.4. */
import type { ActName } from './messages/command-words.ts';
import { containersOf } from './model/containers.ts';
import { LEVELS } from './model/levels.ts';
import {
  goToEnd,
  goToStart,
  nextCheckpoint,
  nextMarker,
  nudge,
  playhead,
  seekEvent,
  setLevel,
  setPace,
  stepBack,
  stepForward,
  togglePlay,
} from './playback/playhead.ts';
import { PACES, type Pace } from './playback/pace.ts';
import { toggleMirror } from './rooms/present-store.ts';
import { openDialog, readerStore, select, toggleProjector } from './reader-store.ts';
import { REDUCED_MOTION } from './breakpoints.ts';

const MS = 1e6;

export const stepOn = (): void => stepForward({ animate: !matchMedia(REDUCED_MOTION).matches });

export interface Shortcut {
  readonly keys: readonly string[];
  readonly shown: string;
  /** Its words come with those who list them. */
  readonly name: ActName;
  readonly pace?: Pace;
  /** Without an event where it was chosen by its name. */
  readonly act: (event?: KeyboardEvent) => void;
}

/** The event that the reader looks at: the chosen one, else the present step's. */
const lookedAt = (): string | null => {
  const { selected } = readerStore.getState();
  if (selected && 'event' in selected) return selected.event;
  const { model, level, step } = playhead.getState();
  return model.order.placed[model.steps(level).keyOf(step) ?? -1]?.event.id ?? null;
};

const goTo = (id: string | undefined | null): void => {
  if (!id) return;
  seekEvent(id);
  select({ event: id });
};

export const goToCause = (): void => {
  const { model } = playhead.getState();
  const cause = model.placed(lookedAt())?.event.cause ?? null;
  if (model.placed(cause)) goTo(cause);
};

export const goToEffect = (): void => {
  const { model } = playhead.getState();
  const id = lookedAt();
  goTo(id === null ? null : model.effectsOf(id)[0]?.event.id);
};

const focusFilter = (): void => {
  // The table takes the focus itself when it opens; if it is open already, here.
  readerStore.setState({ dock: 'events', wantsFilter: true });
  document.getElementById('event-filter')?.focus();
};

const focusNext = (): void => {
  const { model } = playhead.getState();
  const ids = containersOf(model.machineAt(model.length)).map(({ id }) => id);
  if (ids.length < 2) return;
  const { focus } = readerStore.getState();
  readerStore.setState({ focus: ids[focus === null ? 0 : ids.indexOf(focus) + 1] ?? null });
};

const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.userAgent ?? '');
export const PALETTE_KEY = isMac ? '⌘ K' : 'Ctrl K';

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: [' '], shown: ' ', name: 'play', act: togglePlay },
  {
    keys: ['ArrowRight'],
    shown: '→',
    name: 'next',
    act: (event) => (event?.shiftKey ? nextCheckpoint(1) : stepOn()),
  },
  {
    keys: ['ArrowLeft'],
    shown: '←',
    name: 'back',
    act: (event) => (event?.shiftKey ? nextCheckpoint(-1) : stepBack()),
  },
  { keys: [], shown: 'Shift →', name: 'nextChapter', act: () => nextCheckpoint(1) },
  { keys: [], shown: 'Shift ←', name: 'previousChapter', act: () => nextCheckpoint(-1) },
  { keys: ['PageDown'], shown: 'Page ↓', name: 'pageDown', act: stepOn },
  { keys: ['PageUp'], shown: 'Page ↑', name: 'pageUp', act: stepBack },
  { keys: ['Home'], shown: 'Home', name: 'home', act: goToStart },
  { keys: ['End'], shown: 'End', name: 'end', act: goToEnd },
  ...PACES.map((pace, index) => ({
    keys: [String(index + 1)],
    shown: String(index + 1),
    name: 'pace' as const,
    pace,
    act: () => setPace(pace),
  })),
  {
    keys: ['z'],
    shown: 'z',
    name: 'zoom',
    act: () =>
      setLevel(LEVELS[(LEVELS.indexOf(playhead.getState().level) + 1) % LEVELS.length] ?? 'step'),
  },
  { keys: ['['], shown: '[', name: 'markerBack', act: () => nextMarker(-1) },
  { keys: [']'], shown: ']', name: 'markerNext', act: () => nextMarker(1) },
  { keys: [','], shown: ',', name: 'nudgeBack', act: () => nudge(-MS) },
  { keys: ['.'], shown: '.', name: 'nudgeOn', act: () => nudge(MS) },
  { keys: ['c'], shown: 'c', name: 'cause', act: goToCause },
  { keys: ['e'], shown: 'e', name: 'effect', act: goToEffect },
  { keys: ['k'], shown: 'k', name: 'break', act: () => openDialog('break') },
  { keys: ['b'], shown: 'b', name: 'hold', act: () => openDialog('gates') },
  { keys: ['d'], shown: 'd', name: 'compare', act: () => openDialog('compare') },
  { keys: ['f'], shown: 'f', name: 'focus', act: focusNext },
  { keys: ['v'], shown: 'v', name: 'projector', act: toggleProjector },
  { keys: ['m'], shown: 'm', name: 'mirror', act: toggleMirror },
  { keys: ['/'], shown: '/', name: 'filter', act: focusFilter },
  { keys: ['Escape'], shown: 'Esc', name: 'follow', act: () => select(null) },
  { keys: [], shown: PALETTE_KEY, name: 'palette', act: () => openDialog('palette') },
  { keys: ['?'], shown: '?', name: 'keys', act: () => openDialog('keys') },
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['radio', 'checkbox', 'button'].includes(target.type)));

/** Something that has its own use for the key: a focused button takes Space, a list takes arrows. */
const wantsKey = (event: KeyboardEvent): boolean => {
  const { target, key } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (key === ' ' && target.closest('button, summary, a, [role="tab"], input, label')) return true;
  return key.startsWith('Arrow') || key === 'Home' || key === 'End'
    ? target.closest('[data-own-arrows], input[type="radio"], [role="tablist"]') !== null
    : false;
};

/** Letters, digits and signs: what speech input or a slip of the hand types by accident. */
const isCharacter = (key: string): boolean => key.length === 1 && key !== ' ';

/** Also while one types; a terminal keeps it for the program in it. */
const isPaletteKey = ({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean =>
  key.toLowerCase() === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey;

function openPalette(event: KeyboardEvent): void {
  if (event.defaultPrevented) return;
  event.preventDefault();
  if (readerStore.getState().dialog === null) openDialog('palette');
}

/** Starts to listen; the answer stops it. */
export const listenToKeys = (): (() => void) => {
  const onKey = (event: KeyboardEvent): void => {
    if (isPaletteKey(event)) return openPalette(event);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // Also while a dialog is on its way: what is typed is meant for it.
    if (isTyping(event.target) || wantsKey(event) || readerStore.getState().dialog) return;
    if (isCharacter(event.key) && !readerStore.getState().hasLetterKeys) return;
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(event.key));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act(event);
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
};
