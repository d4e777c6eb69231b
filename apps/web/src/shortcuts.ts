/** The keys (`?` lists them). Single letters rest while one types, and can be switched off: WCAG 2.1.4. */
import { t } from './messages/catalogue.ts';
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
import { PACES } from './playback/pace.ts';
import { toggleMirror } from './rooms/present-store.ts';
import { openDialog, readerStore, select } from './reader-store.ts';
import { REDUCED_MOTION } from './breakpoints.ts';

const MS = 1e6;

export const stepOn = (): void => stepForward({ animate: !matchMedia(REDUCED_MOTION).matches });

interface Shortcut {
  readonly keys: readonly string[];
  readonly shown: string;
  readonly words: () => string;
  readonly act: (event: KeyboardEvent) => void;
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

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: [' '], shown: ' ', words: () => t().keys.play, act: togglePlay },
  {
    keys: ['ArrowRight'],
    shown: '→',
    words: () => t().keys.next,
    act: (event) => (event.shiftKey ? nextCheckpoint(1) : stepOn()),
  },
  {
    keys: ['ArrowLeft'],
    shown: '←',
    words: () => t().keys.back,
    act: (event) => (event.shiftKey ? nextCheckpoint(-1) : stepBack()),
  },
  { keys: [], shown: 'Shift →', words: () => t().keys.chapter, act: () => undefined },
  { keys: ['PageDown'], shown: 'Page ↓', words: () => t().keys.pageDown, act: stepOn },
  { keys: ['PageUp'], shown: 'Page ↑', words: () => t().keys.pageUp, act: stepBack },
  { keys: ['Home'], shown: 'Home', words: () => t().keys.home, act: goToStart },
  { keys: ['End'], shown: 'End', words: () => t().keys.end, act: goToEnd },
  ...PACES.map((pace, index) => ({
    keys: [String(index + 1)],
    shown: String(index + 1),
    words: () => t().keys.pace(t().transport.paces[pace]),
    act: () => setPace(pace),
  })),
  {
    keys: ['z'],
    shown: 'z',
    words: () => t().keys.zoom,
    act: () =>
      setLevel(LEVELS[(LEVELS.indexOf(playhead.getState().level) + 1) % LEVELS.length] ?? 'step'),
  },
  {
    keys: ['['],
    shown: '[',
    words: () => t().keys.markerBack,
    act: () => nextMarker(-1),
  },
  { keys: [']'], shown: ']', words: () => t().keys.markerNext, act: () => nextMarker(1) },
  { keys: [','], shown: ',', words: () => t().keys.nudgeBack, act: () => nudge(-MS) },
  { keys: ['.'], shown: '.', words: () => t().keys.nudgeOn, act: () => nudge(MS) },
  { keys: ['c'], shown: 'c', words: () => t().keys.cause, act: goToCause },
  { keys: ['e'], shown: 'e', words: () => t().keys.effect, act: goToEffect },
  {
    keys: ['k'],
    shown: 'k',
    words: () => t().keys.break,
    act: () => openDialog('break'),
  },
  {
    keys: ['b'],
    shown: 'b',
    words: () => t().keys.hold,
    act: () => openDialog('gates'),
  },
  {
    keys: ['d'],
    shown: 'd',
    words: () => t().keys.compare,
    act: () => openDialog('compare'),
  },
  {
    keys: ['f'],
    shown: 'f',
    words: () => t().keys.focus,
    act: focusNext,
  },
  { keys: ['m'], shown: 'm', words: () => t().keys.mirror, act: toggleMirror },
  { keys: ['/'], shown: '/', words: () => t().keys.filter, act: focusFilter },
  {
    keys: ['Escape'],
    shown: 'Esc',
    words: () => t().keys.follow,
    act: () => select(null),
  },
  {
    keys: ['?'],
    shown: '?',
    words: () => t().keys.keys,
    act: () => openDialog('keys'),
  },
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

/** Starts to listen; the answer stops it. */
export const listenToKeys = (): (() => void) => {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || wantsKey(event) || document.querySelector('dialog[open]')) return;
    if (isCharacter(event.key) && !readerStore.getState().hasLetterKeys) return;
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(event.key));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act(event);
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
};
