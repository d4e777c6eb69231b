/** The panic button of whoever presents. */
import { goToStart, play } from '../playback/playhead.ts';
import { chooseRun } from '../session.ts';
import { traceStore } from '../trace/trace-store.ts';

/** What was recorded cannot fail. */
export const playRecording = (): void => {
  for (const [traceId, { summary }] of traceStore.getState().runs) {
    if (summary.origin !== 'recording') continue;
    chooseRun(traceId);
    goToStart();
    play();
    return;
  }
};
