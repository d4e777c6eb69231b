/** Zoom: a run is about 8 chapters, 25 steps, or every detail. Each level contains the coarser ones. */
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';

export const LEVELS: readonly Level[] = ['chapter', 'step', 'detail'];

const RANK: Readonly<Record<Level, number>> = { chapter: 0, step: 1, detail: 2 };

/** Is an event of level `event` shown when one looks at level `zoom`? */
export const isShownAt = (event: Level, zoom: Level): boolean => RANK[event] <= RANK[zoom];
