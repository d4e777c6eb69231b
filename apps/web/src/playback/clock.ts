/** The wall clock that moves the playhead while it plays: the only animation frame loop of the page. */
import { playhead, tick } from './playhead.ts';

/** A tab that was hidden comes back after minutes; the reader did not see them go by. */
const LONGEST_FRAME_MS = 100;

/** Starts to listen; the answer stops it. */
export const startClock = (): (() => void) => {
  let frame = 0;
  let before = 0;
  const run = (now: number): void => {
    const elapsed = Math.min(LONGEST_FRAME_MS, now - before);
    before = now;
    tick(elapsed);
    frame = playhead.getState().isPlaying ? requestAnimationFrame(run) : 0;
  };
  const wake = (): void => {
    if (frame !== 0 || !playhead.getState().isPlaying) return;
    before = performance.now();
    frame = requestAnimationFrame(run);
  };
  const stopListening = playhead.subscribe(wake);
  wake();
  return () => {
    stopListening();
    cancelAnimationFrame(frame);
  };
};
