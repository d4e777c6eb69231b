/** How fast the run goes by: at its own speed, in linear slow motion, in learning time, or step by step. */
import type { Warp } from '../model/warp.ts';

export const PACES = ['real', 'slow', 'learn', 'step'] as const;
export type Pace = (typeof PACES)[number];

const SLOW_FACTOR = 20;
const NS_PER_MS = 1e6;

/** Where the playhead is after `elapsedMs` on the wall. */
export const advance = (realNs: number, elapsedMs: number, pace: Pace, warp: Warp): number => {
  switch (pace) {
    case 'real':
      return realNs + elapsedMs * NS_PER_MS;
    case 'slow':
      return realNs + (elapsedMs * NS_PER_MS) / SLOW_FACTOR;
    case 'learn':
    case 'step':
      return warp.toReal(warp.toLearn(realNs) + elapsedMs);
  }
};
