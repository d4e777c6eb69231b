/** Zoom: a run is about 8 chapters, 25 steps, or every detail. Each level contains the coarser ones. */
import type { Level, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';

export const LEVELS: readonly Level[] = ['chapter', 'step', 'detail'];

const RANK: Readonly<Record<Level, number>> = { chapter: 0, step: 1, detail: 2 };

/**
 * The level at which an event is a step of its own. The message that begins a server's work, and the work that begins,
 * are one thing to watch; and of several attempts (execve along $PATH) the one that succeeds is the step.
 */
const levelOf = (event: SequencedEvent): Level => {
  if (event.type === 'spanStarted' && event.kind === 'server') return 'detail';
  if (event.type === 'syscall' && event.errno !== null && event.ignored) return 'detail';
  return event.level;
};

/** Is the event a step when one looks at level `zoom`? */
export const isShownAt = (event: SequencedEvent, zoom: Level): boolean =>
  RANK[levelOf(event)] <= RANK[zoom];
