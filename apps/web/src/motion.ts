/** Every duration and easing of the page. Motion means that something travels, is born, changes parents or dies. */
import { playhead } from './playback/playhead.ts';

const BIRTH_MS = 250;
const REPARENT_MS = 600;

/** Seconds, as framer-motion counts. */
export const birth = { duration: BIRTH_MS / 1000, ease: 'easeOut' } as const;
export const reparent = { duration: REPARENT_MS / 1000, ease: 'easeInOut' } as const;
export const still = { duration: 0 } as const;

/**
 * Nothing is animated before the playhead has moved, so framer-motion's features are not part of the first load.
 */
export const loadMotion = async () => {
  await firstMove();
  return (await import('./motion-features.ts')).features;
};

const firstMove = (): Promise<void> =>
  new Promise((resolve) => {
    if (playhead.getState().n > 0) return resolve();
    const stop = playhead.subscribe(({ n }) => {
      if (n === 0) return;
      stop();
      resolve();
    });
  });
