/** The keys (`?` lists them). Single letters rest while one types, and can be switched off: WCAG 2.1.4. */
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
import { readerStore, select } from './reader-store.ts';
import { REDUCED_MOTION } from './breakpoints.ts';

const MS = 1e6;

export const stepOn = (): void => stepForward({ animate: !matchMedia(REDUCED_MOTION).matches });

interface Shortcut {
  readonly keys: readonly string[];
  readonly shown: string;
  readonly words: string;
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

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: [' '], shown: 'Space', words: 'Play or pause', act: togglePlay },
  {
    keys: ['ArrowRight'],
    shown: '→',
    words: 'Next step',
    act: (event) => (event.shiftKey ? nextCheckpoint(1) : stepOn()),
  },
  {
    keys: ['ArrowLeft'],
    shown: '←',
    words: 'Previous step',
    act: (event) => (event.shiftKey ? nextCheckpoint(-1) : stepBack()),
  },
  { keys: [], shown: 'Shift →', words: 'Next chapter (Shift ←: previous)', act: () => undefined },
  { keys: ['PageDown'], shown: 'Page ↓', words: 'Next step, with a clicker', act: stepOn },
  { keys: ['PageUp'], shown: 'Page ↑', words: 'Previous step, with a clicker', act: stepBack },
  { keys: ['Home'], shown: 'Home', words: 'Before the first step', act: goToStart },
  { keys: ['End'], shown: 'End', words: 'After the last step', act: goToEnd },
  ...PACES.map((pace, index) => ({
    keys: [String(index + 1)],
    shown: String(index + 1),
    words: `Pace: ${pace}`,
    act: () => setPace(pace),
  })),
  {
    keys: ['z'],
    shown: 'z',
    words: 'Zoom: chapters, steps, details',
    act: () =>
      setLevel(LEVELS[(LEVELS.indexOf(playhead.getState().level) + 1) % LEVELS.length] ?? 'step'),
  },
  {
    keys: ['['],
    shown: '[',
    words: 'Previous marker: birth, death, output, failure',
    act: () => nextMarker(-1),
  },
  { keys: [']'], shown: ']', words: 'Next marker', act: () => nextMarker(1) },
  { keys: [','], shown: ',', words: '1 ms back on the real clock', act: () => nudge(-MS) },
  { keys: ['.'], shown: '.', words: '1 ms forward on the real clock', act: () => nudge(MS) },
  { keys: ['c'], shown: 'c', words: 'Go to the cause', act: goToCause },
  { keys: ['e'], shown: 'e', words: 'Go to the effect', act: goToEffect },
  {
    keys: ['k'],
    shown: 'k',
    words: 'Break something: kill the chosen process (asks first)',
    act: () => readerStore.setState({ isBreakOpen: true }),
  },
  {
    keys: ['b'],
    shown: 'b',
    words: 'Hold the next request at a gate',
    act: () => readerStore.setState({ isGatesOpen: true }),
  },
  {
    keys: ['d'],
    shown: 'd',
    words: 'Compare with another run',
    act: () => readerStore.setState({ isCompareOpen: true }),
  },
  {
    keys: ['m'],
    shown: 'm',
    words: 'In a room: this screen as the projector, and back',
    act: toggleMirror,
  },
  { keys: ['/'], shown: '/', words: 'Filter the events', act: focusFilter },
  {
    keys: ['Escape'],
    shown: 'Esc',
    words: 'Let the inspector follow the playhead again',
    act: () => select(null),
  },
  {
    keys: ['?'],
    shown: '?',
    words: 'These keys',
    act: () => readerStore.setState({ areShortcutsOpen: true }),
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
